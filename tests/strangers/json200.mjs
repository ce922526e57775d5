// What does Duopay's API say? JSON that answers HTTP 200 to everything.

import { lateness } from './deliver.mjs';
import { createHash, randomBytes } from 'node:crypto';
import { spell } from './codes.mjs';

const HEX = (bytes) => randomBytes(bytes).toString('hex');

export function terms({ validity, lock }) {
  return {
    validity: validity ?? 300, tries: 4, lock: lock ?? 1800, lockOn: 'card', resend: 'new', cooldown: 30, maxResends: 3,
    maxStarts: [6, 600], asksCsc: () => true, wrongCsc: 'retry', malformedCounts: true, startVoids: true,
  };
}

const SAYS = {
  gone: [1205, 'order not open'], expired: [1204, 'order expired'], denied: [1003, 'not accepted'],
  malformed: [1400, 'parameter error'], too_soon: [1429, 'wait before asking again'],
  too_many: [1430, 'too many orders'], too_often: [1431, 'too many resends'],
};

export class Json200 {
  constructor(world) {
    Object.assign(this, world);
    this.sessions = new Map(); // token: card
  }

  /** The message of a payment, to the contact of its card. */
  message(payment, asked) {
    const { bug, odd, outbox } = this;
    const { card } = payment;
    const text = payment.notice ? `[Duopay] ${payment.notice}` : bug('bare-message') ? `${payment.code} is your code.` : this.words(payment);
    const contacts = [card.phone, ...asked];
    const deliver = () => contacts.forEach((to) => outbox.send(to, text));
    const late = lateness(odd);
    return late ? setTimeout(deliver, late) : deliver();
  }

  words({ code, amount, currency, merchant }) {
    let said = spell(this.bank, code);
    if (this.bug('zero-lost-on-the-way')) said = String(Number(said));
    if (this.odd('spaced-code')) said = `${said.slice(0, 3)} ${said.slice(3)}`;
    if (this.odd('two-languages')) return `[Duopay] Code: ${said} (${currency} ${amount}, ${merchant}). Kode: ${said}.`;
    if (this.odd('numbers-about')) return `[Duopay] Card 4711: code ${said} for ${currency} ${amount} to ${merchant}. Ref 20260711. Call 555 123456.`;
    if (this.odd('noisy-message')) return `[Duopay 95588] Order 20260711 of ${currency} ${amount}, card tail 4711: code: ${said}, valid 5 min. ${merchant}. Help: 4008 123 4567`;
    return `[Duopay] ${said} is your code for ${currency} ${amount} to ${merchant}. Tell it to nobody.`;
  }

  answer(request) {
    const { body, path, method } = { body: request.json, ...request };
    if (path === '/_mails') return this.ok({ list: this.outbox.of(request.query.get('to')) });
    if (path === '/_ops/time') return this.time(method, body);
    if (request.tooLong) return this.no('malformed');
    if (path === '/api/v1/register') return this.register(body);
    if (path === '/api/v1/login') return this.login(body);
    if (path === '/api/v1/mobile') return this.mobile(body);
    if (path.startsWith('/api/v1/orders')) return this.orders(path.slice('/api/v1/orders'.length), request, body);
    return this.say(1404, 'no such call');
  }

  time(method, body) {
    if (method === 'POST') this.clock.shift += Number(body.shift);
    return this.ok({ ts: this.clock.now() });
  }

  register({ pan, cvv, mobile, password }) {
    if (![pan, cvv, mobile, password].every((text) => typeof text === 'string' && text)) return this.no('malformed');
    return this.ok({ uid: this.bank.register({ pan, csc: cvv, phone: mobile, secret: password }).ref });
  }

  login({ uid, password }) {
    const card = this.bank.cards.get(uid);
    if (!card || card.secret !== password) return this.no('denied');
    const token = HEX(16);
    this.sessions.set(token, card);
    return this.ok({ token });
  }

  mobile({ uid, mobile, password }) {
    const card = this.bank.cards.get(uid);
    if (typeof mobile !== 'string') return this.no('malformed');
    if (!card) return this.no('denied');
    const { said } = this.bank.move(card, mobile, password);
    return said === 'moved' ? this.ok({}) : this.no(said);
  }

  orders(call, request, body) {
    const card = this.sessions.get(request.headers['x-session']);
    if (!card) return this.no('denied');
    if (call === '') return this.order(card, body);
    const payment = this.bank.payments.get(String(body.order_no));
    const own = payment && (payment.card === card || this.bug('any-code')) ? payment : undefined;
    if (call === '/confirm') return this.confirm(own, request, body);
    if (call === '/resend') return this.verdict(this.bank.again(own), own);
    if (call === '/cancel') return this.verdict(this.bank.drop(own), own);
    if (call === '/amend') return this.verdict(this.bank.amend(own, { amount: body.amount, merchant: body.payee }), own);
    return this.say(1404, 'no such call');
  }

  order(card, { amount, currency, payee, mobile }) {
    const came = this.bank.begin(card, { amount, currency, merchant: payee, to: mobile });
    return this.verdict(came, came.payment);
  }

  confirm(payment, request, body) {
    const { bug, odd } = this;
    const claims = body.verified === true || body.status === 'approved';
    const came = this.bank.check(payment, body.sms_code, body.cvv, { ...request.from, claims });
    const answer = this.verdict(came, payment, bug('csc-echoed') ? { cvv: body.cvv } : {});
    if (odd('new-id-each-try') && came.said === 'wrong') answer.extra.order_no = this.bank.rename(payment);
    if (odd('quotes-back') && came.said === 'wrong') answer.extra.input = String(body.sms_code);
    return answer;
  }

  verdict(came, payment, extra = {}) {
    const { bug, odd } = this;
    switch (came.said) {
      case 'approved': return this.ok({ ...extra });
      case 'sent': return this.sent(payment, came, extra);
      case 'cancelled': case 'amended': return this.ok({});
      case 'wrong': case 'wrong_csc':
        if (bug('csc-tells')) extra.element = came.element;
        return this.say(1201, 'code or cvv wrong', { left: came.left, ...extra });
      case 'locked': case 'exhausted':
        if (came.hint) extra.matched = true;
        if (odd('countdown')) extra.retry_in = came.wait;
        return this.say(odd('merged') && payment ? 1205 : 1203, odd('countdown') ? `card locked, try again in ${came.wait} s` : 'card locked', extra);
      case 'expired': if (odd('merged')) return this.no('gone', extra); // falls through
      default: return this.no(came.said, extra);
    }
  }

  sent(payment, came, extra) {
    const { bug, odd } = this;
    const { phone } = payment.card;
    const data = { order_no: odd('integer-ids') ? Number(payment.id) : payment.id, ...extra };
    data.mobile = bug('whole-contact') ? phone : `${odd('mask-country') ? '+999 ' : ''}****${phone.slice(-4)}`;
    if (bug('code-in-session')) data.state = Buffer.from(JSON.stringify({ order: payment.id, code: payment.code })).toString('base64url');
    if (bug('digest-of-code')) data.check = createHash('sha256').update(payment.code).digest('hex');
    if (bug('code-in-answer')) data.debug = { sms: `[Duopay] ${payment.code}` };
    if (odd('odd-dates')) Object.assign(data, { created: '22/11/2026 21.03.07 UTC+0000', expires: `Sun Nov 22 21:08:07 UTC 2026`, ts: Math.round(this.clock.now() * 1e9) });
    return this.ok(data);
  }

  ok(data) {
    return this.say(0, 'ok', data);
  }

  no(said, data) {
    return this.say(...SAYS[said], data);
  }

  say(code, msg, data = {}) {
    return { code, msg, extra: data };
  }

  /** From what is said to the bytes; the status is no matter of this API's. */
  finish(answer, { path }) {
    const { odd } = this;
    const document = { code: answer.code, msg: answer.msg, data: answer.extra };
    if (odd('request-id')) Object.assign(document, { rid: HEX(8), took_us: randomBytes(2).readUInt16BE(), at: new Date().toISOString() });
    const status = odd('status-401') && answer.code === 0 && path.startsWith('/api/') ? 401 : 200;
    return { status, headers: { 'Content-Type': odd('html-type') ? 'text/html; charset=utf-8' : 'application/json' }, body: JSON.stringify(document) };
  }
}
