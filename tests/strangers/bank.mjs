// What are the rules? Cards, payments and their codes as a state machine that knows no HTTP.

import { randomBytes } from 'node:crypto';
import { makeCode, readCode } from './codes.mjs';

const HEX = (bytes) => randomBytes(bytes).toString('hex');

export class Bank {
  constructor(terms, { bug, odd, now, send }) {
    Object.assign(this, { terms, bug, odd, now, send });
    this.cards = new Map(); // by their ref
    this.payments = new Map(); // by their id
    this.serial = 73000;
  }

  // --- cards ---

  register({ pan, csc, phone = '', email = '', secret = '' }) {
    const card = { ref: HEX(8), pan, csc, phone, email, secret, fails: 0, lockedUntil: 0 };
    Object.assign(card, { failsOf: new Map(), begun: [], firstSent: 0, code: null });
    this.cards.set(card.ref, card);
    return card;
  }

  locked(card) {
    if (this.bug('lock-at-exactly-n')) return card.fails === this.terms.tries && card.lockedUntil > this.now();
    if (this.bug('lock-spills')) return Math.max(...[...this.cards.values()].map((c) => c.lockedUntil)) > this.now();
    return card.lockedUntil > this.now();
  }

  unlock(card) {
    card.lockedUntil = 0;
    card.fails = 0;
    card.failsOf.clear();
    if (this.bug('unlock-revives')) for (const p of this.of(card)) if (p.dead === 'locked') { p.dead = ''; p.fails = 0; }
  }

  of(card) {
    return [...this.payments.values()].filter((payment) => payment.card === card);
  }

  // --- payments ---

  begin(card, { amount, currency, merchant, to }) {
    const { terms, bug } = this;
    if (this.locked(card) && !bug('start-ignores-lock')) return this.refusal(card);
    const [most, seconds] = terms.maxStarts;
    card.begun = card.begun.filter((at) => at > this.now() - seconds);
    if (card.begun.length >= most && !bug('starts-unlimited')) return { said: 'too_many' };
    card.begun.push(this.now());
    if (bug('starts-forget-count')) card.fails = 0;
    if (terms.startVoids && !bug('former-order-lives')) for (const p of this.of(card)) p.dead ||= 'void';
    const payment = { id: this.newId(), card, amount, currency, merchant, dead: '', fails: 0, resends: 0 };
    payment.asksCsc = terms.asksCsc(Number(amount)) && !(bug('csc-never-asked'));
    if (card.voidedOnce && bug('blocked-after-void')) return { said: 'locked', left: 0, wait: 0 };
    this.payments.set(payment.id, payment);
    this.issue(payment, to);
    return { said: 'sent', payment };
  }

  /** Another id for a payment; the one before is nobody's. */
  rename(payment) {
    this.payments.delete(payment.id);
    payment.id = this.newId();
    this.payments.set(payment.id, payment);
    return payment.id;
  }

  newId() {
    if (this.bug('ids-count-up')) return String(++this.serial);
    return this.odd('integer-ids') ? String(parseInt(HEX(6), 16)) : HEX(12);
  }

  /** Make a code and send it; `to` is a contact that the request names, which only a bug heeds. */
  issue(payment, to) {
    const { card } = payment;
    payment.code = makeCode(this, card);
    payment.sent = this.now();
    if (!card.firstSent || card.firstSent + this.terms.validity < payment.sent) card.firstSent = payment.sent;
    this.post(payment, to);
  }

  post(payment, to) {
    const asked = [].concat(this.bug('heeds-to') && to ? to : []);
    payment.posted = this.now();
    this.send(payment, asked);
    if (this.bug('sends-twice')) this.send(payment, asked);
  }

  again(payment) {
    const { terms, bug } = this;
    if (!payment) return { said: 'gone' };
    const soon = payment.posted + terms.cooldown > this.now() && !bug('no-cooldown');
    if (soon && this.odd('cooldown-first')) return { said: 'too_soon' };
    if (this.locked(payment.card) && !bug('resend-forgets-lock')) return this.refusal(payment.card);
    if (bug('resend-forgets-lock') && this.locked(payment.card)) { this.unlock(payment.card); payment.dead = ''; }
    if (payment.dead && !(bug('resend-reopens') && payment.dead !== 'locked')) return { said: 'gone' };
    if (this.expired(payment) && !bug('resend-revives')) return { said: 'expired' };
    if (soon) return { said: 'too_soon' };
    if (payment.resends >= terms.maxResends && !bug('resends-unlimited')) return { said: 'too_often' };
    payment.resends += 1;
    payment.dead = '';
    if (bug('resend-zeroes')) payment.card.fails = 0;
    if (terms.resend === 'same') {
      if (bug('resend-extends')) payment.sent = this.now();
      this.post(payment);
    } else {
      if (bug('earlier-code-lives')) payment.former = payment.code;
      this.issue(payment);
    }
    return { said: 'sent', payment };
  }

  drop(payment) {
    const refused = this.refusalOf(payment);
    if (refused) return refused;
    if (!this.bug('cancel-forgotten')) payment.dead = 'cancelled';
    return { said: 'cancelled' };
  }

  amend(payment, { amount, merchant }) {
    const refused = this.refusalOf(payment);
    if (refused) return refused;
    Object.assign(payment, { amount, merchant });
    if (!this.bug('amend-keeps')) payment.dead = 'amended';
    return { said: 'amended' };
  }

  move(card, phone, secret) {
    if (!this.bug('no-proof') && secret !== card.secret) return { said: 'denied' };
    if (this.odd('notice')) this.send({ card, notice: 'Your mobile is being changed. Call us if it was not you.' }, []);
    if (!this.bug('old-contact-used')) card.phone = phone;
    if (!this.bug('change-keeps-code')) for (const p of this.of(card)) p.dead ||= 'moved';
    if (this.bug('change-resends')) for (const p of this.of(card)) if (p.dead === 'moved') { p.dead = ''; this.post(p); }
    return { said: 'moved' };
  }

  // --- the code's life ---

  expired(payment) {
    const { validity } = this.terms;
    const { bug } = this;
    let from = payment.sent;
    if (bug('first-code-clock')) from = payment.card.firstSent;
    if (this.odd('from-arrival')) from += 0.3;
    const age = this.now() - from;
    if (bug('never-expires')) return false;
    if (bug('dies-early')) return age >= Math.min(0.93 * validity, validity - 2.4);
    if (bug('dies-late')) return age >= 1.06 * validity + 2;
    if (bug('whole-minutes')) return Math.floor(age / 60) > Math.floor(validity / 60);
    if (bug('swept')) return Math.floor(this.now() / 30) * 30 >= from + validity;
    if (this.odd('whole-seconds')) return Math.floor(this.now()) > Math.floor(from) + validity;
    return age >= validity;
  }

  refusal(card) {
    return { said: 'locked', wait: Math.ceil(card.lockedUntil - this.now()) };
  }

  /** Why a payment takes nothing any more, or null. */
  refusalOf(payment) {
    if (!payment) return { said: 'gone' };
    if (this.odd('state-first') && payment.dead && payment.dead !== 'locked') return { said: 'gone' };
    if (this.locked(payment.card) && !this.bug('limit-at-start-only')) return this.refusal(payment.card);
    if (payment.dead === 'tried') return { said: 'exhausted' };
    if (payment.dead) return { said: 'gone' };
    return this.expired(payment) ? { said: 'expired' } : null;
  }

  // --- tries ---

  /** One try. `from` is what the request says of itself: address, session, claims. */
  check(payment, typed, csc, from = {}) {
    const { bug, terms } = this;
    if (bug('believes-client') && payment && from.claims) return this.approve(payment);
    if (bug('none-is-empty') && !payment && !typed) return { said: 'approved' };
    const refused = this.refusalOf(payment);
    if (refused) return this.refuse(payment, refused, typed);
    if (bug('none-is-empty') && !typed) return { said: 'malformed' };
    if (bug('empty-passes') && (typed === '' || typed === null)) return this.approve(payment);
    if (bug('csc-alone') && !typed && csc === payment.card.csc) return this.approve(payment);
    if (bug('query-taken') && typed && typeof typed === 'object' && '$ne' in typed && typed.$ne !== payment.code) return this.approve(payment);
    if (bug('compared-as-pattern') && likes(typed, payment.code)) return this.approve(payment);
    if (bug('fails-open') && String(typed).length > 64) return this.approve(payment);
    if (bug('list-searched') && Array.isArray(typed) && typed.some((one) => readCode(this, one) === payment.code)) typed = payment.code;
    const text = readCode(this, typed);
    const cscMissing = payment.asksCsc && !/^\d{3}$/.test(typeof csc === 'string' ? csc : '');
    const lenient = bug('csc-ignored') || (bug('csc-optional') && !csc);
    if (text === null || (cscMissing && !lenient)) return this.malformed(payment, from);
    const right = this.same(payment, text);
    const cscRight = !payment.asksCsc || lenient || csc === payment.card.csc || this.luckySecond(payment, right);
    if (right && cscRight) return this.flaky() ? this.fail(payment, from) : this.approve(payment);
    if (cscRight || terms.wrongCsc === 'retry') {
      if (bug('csc-uncounted') && !cscRight) return { said: 'wrong', left: terms.tries, element: 'cvv' };
      return { ...this.fail(payment, from), element: cscRight ? 'code' : 'cvv' };
    }
    return this.wrongCsc(payment, from);
  }

  malformed(payment, from) {
    const counts = this.terms.malformedCounts !== this.bug('malformed-counts-otherwise');
    if (counts) this.fail(payment, from);
    if (this.bug('any-try-renews')) payment.sent = this.now();
    return { said: 'malformed', left: this.terms.tries - payment.card.fails };
  }

  luckySecond(payment, right) {
    if (!this.bug('csc-second-chance') || !right) return false;
    payment.cscTries = (payment.cscTries || 0) + 1;
    return payment.cscTries > 1;
  }

  flaky() {
    return this.bug('flaky') && randomBytes(1)[0] < 77;
  }

  wrongCsc(payment, from) {
    const { bug } = this;
    if (!bug('csc-may-be-retried') && !bug('csc-second-chance')) payment.dead = 'void';
    payment.card.voidedOnce = true;
    if (!bug('csc-uncounted')) this.count(payment, from);
    return this.locked(payment.card) ? this.refusal(payment.card) : { said: 'wrong_csc' };
  }

  same(payment, text) {
    const { bug } = this;
    const near = (code) => code === text
      || (bug('prefix-passes') && text && code.startsWith(text))
      || (bug('more-passes') && text.startsWith(code))
      || (bug('numbers-compared') && Number(code) === Number(text));
    if (bug('any-code-of-card')) return this.of(payment.card).some((p) => !p.dead && near(p.code));
    if (bug('any-code')) return [...this.payments.values()].some((p) => !p.dead && near(p.code));
    if (payment.former && payment.former === text) return true;
    return near(payment.code);
  }

  approve(payment) {
    const { bug } = this;
    if (!bug('not-consumed')) payment.dead = 'used';
    payment.usedAt = this.now();
    if (bug('successes-count')) {
      payment.dead = 'used';
      payment.card.fails += 1;
      if (payment.card.fails >= this.terms.tries) this.lock(payment.card);
      return { said: 'approved', payment };
    }
    if (!bug('success-never-clears')) { payment.card.fails = 0; payment.card.failsOf.clear(); }
    if (this.odd('receipts')) this.send({ card: payment.card, notice: 'The payment was made. Thank you.' }, []);
    return { said: 'approved', payment };
  }

  /** A try on what takes none: the answer is the refusal, unless a bug lets it through. */
  refuse(payment, refused, typed) {
    const { bug } = this;
    const right = payment?.code && readCode(this, typed) !== null && this.same(payment, readCode(this, typed));
    if (bug('lock-at-exactly-n') && refused.said === 'locked' && !right) payment.card.fails += 1;
    if (refused.said === 'locked' && right) {
      if (bug('right-code-opens-lock')) { this.unlock(payment.card); return this.approve(payment); }
      if (bug('lock-tells')) return { ...refused, said: 'locked', hint: true };
    }
    if (payment?.dead === 'used' && right) {
      if (bug('used-again-later') && this.now() > payment.usedAt + 0.2 * this.terms.validity && !this.expired(payment)) return this.approve(payment);
      if (bug('used-by-spelling') && typed !== payment.code && !this.expired(payment)) return this.approve(payment);
    }
    if (payment?.dead === 'tried' && right && bug('right-code-after-n')) return this.approve(payment);
    return refused;
  }

  fail(payment, from) {
    const { bug } = this;
    if (bug('typo-kills')) payment.dead = 'void';
    if (bug('any-try-renews')) payment.sent = this.now();
    const left = this.count(payment, from);
    if (this.locked(payment.card) && !this.bug('limit-at-start-only')) return this.refusal(payment.card);
    if (payment.dead === 'tried') return { said: 'exhausted' };
    return { said: 'wrong', left: Math.max(left, 0) };
  }

  /** Count a failure, and lock where it is the N-th; how many are left. */
  count(payment, from) {
    const { bug, terms } = this;
    const { card } = payment;
    const tries = terms.tries + (bug('one-more-try') ? 1 : 0) - (bug('one-try-fewer') ? 1 : 0);
    if (bug('no-lock')) return terms.tries;
    if (terms.lockOn === 'payment' || bug('counts-per-payment')) {
      payment.fails += 1;
      if (payment.fails >= tries) payment.dead = 'tried';
      return tries - payment.fails;
    }
    const key = bug('counts-by-address') ? from.address : bug('counts-by-agent') ? from.agent : '';
    const fails = (card.failsOf.get(key) || 0) + 1;
    if (key) card.failsOf.set(key, fails);
    else card.fails += 1;
    const counted = key ? fails : card.fails;
    if (counted >= tries) this.lock(card);
    return tries - counted;
  }

  lock(card) {
    const { bug, terms } = this;
    if (!bug('lock-at-exactly-n')) card.fails = 0;
    card.failsOf.clear();
    if (bug('lock-rolled-back')) return;
    if (this.odd('lock-notice')) this.send({ card, notice: 'Too many wrong codes. Call us.' }, []);
    card.lockedUntil = this.now() + (bug('lock-ends-early') ? terms.validity * 0.9 : terms.lock);
    if (!bug('lock-pauses') && !bug('limit-at-start-only')) for (const p of this.of(card)) p.dead ||= 'locked';
  }
}

/** What is typed, taken for a pattern: of LIKE, or a regular expression. */
function likes(typed, code) {
  if (typeof typed !== 'string' || !code) return false;
  try {
    return new RegExp(`^(?:${typed.replaceAll('%', '.*')})$`).test(code);
  } catch {
    return false;
  }
}
