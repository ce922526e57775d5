// What does Textgate say? Form-encoded in, text or XML out, HTTP Basic.

import { randomBytes } from 'node:crypto';
import { spell } from './codes.mjs';
import { sms, lateness } from './deliver.mjs';

export function terms({ validity }) {
  return {
    validity: validity ?? 600, tries: 5, lock: 0, lockOn: 'payment', resend: 'new', cooldown: 0, maxResends: 0,
    maxStarts: [Infinity, 0], asksCsc: () => false, wrongCsc: 'retry', malformedCounts: false, startVoids: false, letters: true,
  };
}

const SAYS = {
  approved: [200, 'approved'], wrong: [403, 'declined'], expired: [410, 'expired'], exhausted: [410, 'exhausted'],
  gone: [410, 'gone'], malformed: [400, 'badrequest'], denied: [401, 'denied'],
};

export class Form {
  constructor(world) {
    Object.assign(this, world);
    this.basic = `Basic ${Buffer.from(this.user).toString('base64')}`;
    this.byPan = new Map(this.known.map((line) => [line.pan, this.bank.register(line)]));
  }

  message(payment) {
    const { bug, odd, gateway } = this;
    const { code = '', amount, currency, merchant, card } = payment;
    let text = payment.notice || `${merchant}: ${spell(this.bank, code)} confirms ${amount} ${currency}.`;
    if (payment.notice) return sms(gateway, card.phone, text);
    if (bug('bare-message')) text = `Your code is ${spell(this.bank, code)}`;
    if (odd('noisy-message')) text = `REF-0042 Pay ${amount} ${currency} TO-${merchant}, order ABC-4711: use ${spell(this.bank, code)} - STOP to 80888`;
    setTimeout(() => sms(gateway, card.phone, text), lateness(odd));
  }

  answer(request) {
    const { form, path } = request;
    if (request.headers.authorization !== this.basic) return this.lines('denied');
    if (path === '/otp/send') return this.sendCode(form);
    if (path !== '/otp/check') return { status: 404, body: 'status=NOCALL' };
    if (request.tooLong) return this.lines('malformed');
    const payment = this.bank.payments.get(form.txn);
    const claims = form.verified === 'true' || form.status === 'approved';
    const typed = this.bug('empty-passes') && form.code === undefined ? '' : form.code;
    const came = this.bank.check(payment, typed, undefined, { ...request.from, claims });
    return this.lines(came.said, came, form.code);
  }

  sendCode({ card: pan, amount, currency, merchant }) {
    const { bug, odd } = this;
    const card = this.byPan.get(pan);
    if (!card && bug('unknown-card-told')) return { status: 404, body: 'status=NOCARD' };
    const came = card ? this.bank.begin(card, { amount, currency, merchant }) : { said: 'sent', payment: this.nobody(pan) };
    const { id, code } = came.payment;
    const { phone } = came.payment.card;
    const to = bug('whole-contact') ? phone : `****${phone.slice(-4)}`;
    const gap = odd('loose-markup') ? '\n   ' : '';
    const rid = odd('request-id') ? `<rid>${randomBytes(6).toString('hex')}</rid>` : '';
    const headers = { 'Content-Type': 'text/xml', ...(bug('code-in-header') ? { 'X-Debug-Code': code } : {}) };
    const body = `<?xml version="1.0"?><otp>${rid}${gap}<status>OK</status>${gap}<txn>${id}</txn><to>${to}</to></otp>`;
    return { status: odd('status-401') ? 401 : 200, headers, body };
  }

  /** An unknown card gets the answer of a known one, and no message. */
  nobody(pan) {
    const tail = [...String(pan)].reduce((sum, c) => (sum * 31 + c.charCodeAt(0)) % 9000, 7) + 1000;
    return { id: this.bank.newId(), card: { phone: `+999${tail}` }, code: '' };
  }

  lines(said, came = {}, typed = '') {
    const { bug, odd } = this;
    let [status, word] = SAYS[said];
    if (odd('merged') && status === 410) [status, word] = [404, 'notfound'];
    if (odd('all-200')) status = 200;
    const lines = [`status=${word}`];
    if (said === 'wrong' && odd('tries-left')) lines.push(`left=${came.left}`);
    if (odd('request-id')) lines.unshift(`rid=${randomBytes(6).toString('hex')}`);
    if (bug('echoes-lines') && said !== 'approved') lines.unshift(`code=${typed}`);
    const headers = bug('cacheable') ? { 'Cache-Control': 'public, max-age=300' } : {};
    return { status, headers, body: `${lines.join(odd('loose-markup') ? '\r\n' : '\n')}\n` };
  }

  finish(answer) {
    return { ...answer, headers: { 'Content-Type': 'text/plain', ...answer.headers } };
  }
}
