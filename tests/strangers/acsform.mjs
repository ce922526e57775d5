// What does Merchant Bank's ACS show? HTML pages, cookies, redirects; the code goes by mail.

import { randomBytes } from 'node:crypto';
import { letter, mail, sms, lateness } from './deliver.mjs';
import { escaped } from './wire.mjs';

const HEX = (bytes) => randomBytes(bytes).toString('hex');

export function terms({ validity }) {
  return {
    validity: validity ?? 600, tries: 3, lock: Infinity, lockOn: 'card', resend: 'same', cooldown: 0, maxResends: 2,
    maxStarts: [Infinity, 0], asksCsc: (amount) => amount > 100, wrongCsc: 'void', malformedCounts: false, startVoids: false,
  };
}

const RESULTS = {
  approved: 'Payment approved', expired: 'The code has expired', locked: 'Your card is locked', exhausted: 'Your card is locked',
  wrong_csc: 'The card security number is not correct', gone: 'There is no open payment', cancelled: 'Payment cancelled',
};
const STYLES = { 'mail-html': 'html', 'mail-base64': 'base64', 'mail-quoted': 'quoted', 'mail-multipart': 'multipart' };

export class AcsForm {
  constructor(world) {
    Object.assign(this, world);
    this.sessions = new Map(); // cookie: {payment, csrf, notice, result}
  }

  message(payment) {
    const { bug, odd } = this;
    const { card, code, amount, currency, merchant } = payment;
    const asked = bug('bare-message') ? `Your code: ${code}` : this.words(code, amount, currency, merchant);
    const text = payment.notice || asked;
    const style = STYLES[Object.keys(STYLES).find((name) => odd(name))];
    const subject = odd('noisy-message') ? 'Payment 20260711 needs your code' : `Your payment to ${merchant}`;
    const from = 'acs@bank.example';
    const deliver = () => {
      mail(this.smtp, { from, to: card.email, lines: letter({ from, to: card.email, subject, text, style }) });
      if (this.gateway) sms(this.gateway, card.phone, text.replaceAll('\n', ' '));
    };
    const late = lateness(odd);
    return late ? setTimeout(deliver, late) : deliver();
  }

  words(code, amount, currency, merchant) {
    const noise = this.odd('noisy-message') ? 'Customer 20011977, call 0800 554433.\n' : '';
    return `Hello,\n${noise}you are about to pay ${currency} ${amount} to ${merchant}.\nYour code: ${this.odd('spaced-code') ? `${code.slice(0, 3)} ${code.slice(3)}` : code}\nNever pass it on.`;
  }

  answer(request) {
    const { method, path, form } = request;
    this.at = path;
    const session = this.sessions.get(request.cookies.acs);
    if (request.tooLong) return this.page(413, 'Too long', 'This is too long.');
    if (path === '/enrol' && method === 'POST') return this.enrol(form);
    if (path === '/support/unlock') return this.support(request);
    if (path === '/pay') return this.pay(form);
    if (path === '/challenge' && method === 'GET') return session?.payment ? this.challenge(session) : this.to('/result');
    if (path === '/result') return this.result(session);
    if (!path.startsWith('/challenge') || method !== 'POST') return this.page(404, 'Not found', 'No such page.');
    if (!session?.payment) return this.to('/result');
    if (form.csrf !== session.csrf) return this.page(403, 'Out of date', 'This page is out of date.');
    if (path === '/challenge') return this.challenged(session, request);
    if (path === '/challenge/resend') return this.resent(session);
    if (path === '/challenge/cancel') return this.over(session, this.bank.drop(session.payment).said);
    return this.page(404, 'Not found', 'No such page.');
  }

  enrol({ pan, cvc, email, phone }) {
    if (!/^\d{16}$/.test(pan) || !/^\d{3}$/.test(cvc) || !/@/.test(email)) return this.page(400, 'Enrol', 'Please fill in the form.');
    const card = this.bank.register({ pan, csc: cvc, email, phone });
    return this.page(201, 'Enrolled', `Your card is enrolled. <output id="ref">${card.ref}</output>`);
  }

  support({ headers, form }) {
    if (headers.authorization !== `Bearer ${this.token}`) return this.page(401, 'Support', 'Please log in.');
    const card = this.bank.cards.get(form.ref);
    if (!card) return this.page(404, 'Support', 'No such card.');
    this.bank.unlock(card);
    return this.page(200, 'Support', 'The card is unlocked.');
  }

  pay({ ref, amount, currency, merchant }) {
    const card = this.bank.cards.get(ref);
    if (!card || !(Number(amount) > 0)) return this.page(400, 'Pay', 'This payment cannot be made.');
    const came = this.bank.begin(card, { amount, currency, merchant });
    const cookie = HEX(16);
    const session = { payment: came.payment, csrf: '', notice: '', result: came.said };
    this.sessions.set(cookie, session);
    const answer = this.to(came.payment ? '/challenge' : '/result');
    answer.headers['Set-Cookie'] = [`acs=${cookie}; Path=/; HttpOnly; SameSite=Lax`];
    return answer;
  }

  challenge(session) {
    const { bug } = this;
    const { card, asksCsc, amount, currency, merchant, code } = session.payment;
    session.csrf = HEX(12);
    const fields = [this.field('otp', 'Code'), ...(asksCsc ? [this.field('cvc', 'Card security number')] : [])];
    const [name, domain] = card.email.split('@');
    const contact = bug('whole-contact') ? card.email : `${name[0]}•••${name.slice(-2)}@${domain}`;
    const notice = session.notice ? `<p class="notice">${session.notice}</p>` : '';
    const debug = bug('code-in-comment') ? `<!-- dbg ${code} -->` : '';
    session.notice = '';
    return this.page(200, 'Confirm your payment', `${notice}${debug}<p>${escaped(merchant)}: ${escaped(currency)} ${escaped(amount)}</p>
<p>Code sent to ${contact}</p>${this.form('/challenge', fields, session.csrf)}${this.form('/challenge/resend', [], session.csrf)}${this.form('/challenge/cancel', [], session.csrf)}`);
  }

  field(name, label) {
    if (this.odd('loose-html')) return `<LABEL>${label}<INPUT TYPE=text autofocus NAME=${name}></LABEL>`;
    return `<label>${label}<input name="${name}" inputmode="numeric" maxlength="6" autocomplete="one-time-code"></label>`;
  }

  form(action, fields, csrf) {
    if (this.odd('loose-html')) return `<FORM METHOD='post' ACTION=${action}>${fields.join('')}<INPUT\n VALUE='${csrf}'\n TYPE=HIDDEN NAME=csrf><BUTTON>Go</BUTTON></FORM>`;
    return `<form method="post" action="${action}"><input type="hidden" name="csrf" value="${csrf}">${fields.join('')}<button>Go</button></form>`;
  }

  challenged(session, { form, from }) {
    const { bug, odd } = this;
    const typed = form.otp;
    const claims = form.verified === 'true' || form.status === 'approved';
    const came = this.bank.check(session.payment, typed, form.cvc, { ...from, claims });
    const quoted = odd('quotes-back') ? ` You entered “${escaped(typed)}”.` : '';
    if (came.said === 'malformed') return this.again(session, `Please enter the 6 digits of the code.${quoted}`);
    if (came.said === 'wrong') return this.again(session, `The code is not correct. You have ${came.left} tries left.${quoted}`);
    if (came.said === 'wrong_csc' && bug('csc-may-be-retried')) return this.again(session, 'The card security number is not correct.');
    const answer = this.over(session, came.said, bug('csc-echoed') ? ` (${form.cvc})` : '');
    if (bug('code-in-url')) answer.headers.Location += `?payment=done&code=${encodeURIComponent(typed)}`;
    return answer;
  }

  again(session, notice) {
    session.notice = notice;
    return this.to('/challenge');
  }

  resent(session) {
    const { said } = this.bank.again(session.payment);
    if (said === 'sent') return this.again(session, 'We sent the code again.');
    if (said === 'too_often') return this.again(session, 'The code cannot be sent again.');
    return this.over(session, said);
  }

  over(session, said, more = '') {
    session.result = said;
    session.more = more;
    return this.to('/result');
  }

  result(session) {
    const said = RESULTS[session?.result] || RESULTS.gone;
    const back = session?.payment && session.result !== 'approved' ? '<p><a href="/challenge">Back</a></p>' : '';
    return this.page(200, 'Result', `<p class="result">${said}${session?.more || ''}</p>${back}`);
  }

  to(path) {
    const { odd } = this;
    const status = odd('redirect-303') ? 303 : 302;
    const up = '../'.repeat(this.at.split('/').length - 2);
    const location = odd('relative-location') ? up + path.slice(1) : odd('absolute-location') ? `${this.origin()}${path}` : path;
    return { status, headers: { Location: location }, body: '' };
  }

  page(status, title, inner) {
    const { bug, odd } = this;
    const nonce = HEX(8);
    const headers = { 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': bug('cacheable') ? 'public, max-age=600' : 'no-store' };
    if (odd('nonce')) headers['Content-Security-Policy'] = `script-src 'nonce-${nonce}'`;
    const script = odd('nonce') ? `<script nonce="${nonce}">var t="Payment approved";/* ${HEX(4)} */</script>` : '';
    const menu = odd('hidden-words') ? '<!-- Payment approved --><template>Payment approved</template><style>/* Your card is locked */</style>' : '';
    const html = `<!doctype html><html lang="en"><head><title>${title}</title>${script}</head>\n<body>${menu}<h1>${title}</h1>\n${inner}\n</body></html>`;
    return { status, headers, body: odd('minified') ? html.replaceAll('\n', '').replace(/<\/(p|head|body|html)>/g, '') : html };
  }

  /** A session cookie that is renewed with each answer, where that is asked for. */
  finish(answer, request) {
    const session = this.sessions.get(request.cookies.acs);
    if (!this.odd('rotating-cookie') || !session) return answer;
    const cookie = HEX(16);
    this.sessions.delete(request.cookies.acs);
    this.sessions.set(cookie, session);
    return { ...answer, headers: { ...answer.headers, 'Set-Cookie': [`acs=${cookie}; Path=/; HttpOnly`] } };
  }
}
