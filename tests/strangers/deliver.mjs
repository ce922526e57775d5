// How does a code reach its owner? An outbox, real SMTP, and an SMS gateway.

import net from 'node:net';

/** Messages that were sent, by contact, for a test to read. */
export class Outbox {
  constructor() {
    this.byContact = new Map();
    this.serial = 0;
  }

  send(to, body) {
    const list = this.byContact.get(to) || [];
    list.push({ mid: `m${++this.serial}`, body, at: new Date().toUTCString() });
    this.byContact.set(to, list);
  }

  of(to) {
    return this.byContact.get(to) || [];
  }
}

/** Send one mail by SMTP to host:port; `lines` are the message with its headers. */
export function mail(where, { from, to, lines }) {
  const [host, port] = where.split(':');
  const said = ['EHLO stranger', `MAIL FROM:<${from}>`, `RCPT TO:<${to}>`, 'DATA', null, 'QUIT'];
  const socket = net.connect(Number(port), host);
  let buffer = '';
  let step = 0;
  socket.setTimeout(5000, () => socket.destroy());
  socket.on('error', (error) => console.error(`mail: ${error.message}`));
  socket.on('data', (data) => {
    buffer += data;
    for (let end; (end = buffer.indexOf('\r\n')) >= 0; buffer = buffer.slice(end + 2)) {
      const line = buffer.slice(0, end);
      if (line[3] === '-') continue; // more of the same reply follows
      if (line[0] !== '2' && line[0] !== '3') { console.error(`mail: ${line}`); socket.end('QUIT\r\n'); return; }
      if (step >= said.length) { socket.end(); return; }
      const next = said[step++];
      socket.write(next === null ? `${lines.map((l) => l.replace(/^\./, '..')).join('\r\n')}\r\n.\r\n` : `${next}\r\n`);
    }
  });
}

/** A mail in one of the ways that mail programs write it. */
export function letter({ from, to, subject, text, style }) {
  const head = [`From: Merchant Bank <${from}>`, `To: <${to}>`, `Subject: ${subject}`];
  head.push(`Date: ${new Date().toUTCString()}`, `Message-ID: <${Math.random().toString(36).slice(2)}@stranger.example>`, 'MIME-Version: 1.0');
  const html = `<html><style>p{color:#112233;margin:123456px}</style><body><p>${text.replaceAll('\n', '<br>')}</p></body></html>`;
  if (style === 'html') return [...head, 'Content-Type: text/html; charset=utf-8', '', ...html.match(/.{1,400}/gs)];
  if (style === 'base64') {
    const folded = Buffer.from(text).toString('base64').match(/.{1,60}/g);
    return [...head, 'Content-Type: text/plain; charset=utf-8', 'Content-Transfer-Encoding: base64', '', ...folded];
  }
  if (style === 'quoted') {
    const quoted = text.replaceAll('=', '=3D').replace(/(\d{3})(\d{3})/, '$1=\r\n$2');
    return [...head, 'Content-Type: text/plain; charset=utf-8', 'Content-Transfer-Encoding: quoted-printable', '', ...quoted.split(/\r?\n/)];
  }
  if (style === 'multipart') {
    const part = (type, body) => ['--=_887766', `Content-Type: ${type}; charset=utf-8`, '', ...body.split('\n')];
    return [...head, 'Content-Type: multipart/alternative; boundary="=_887766"', '', ...part('text/plain', text), ...part('text/html', html), '--=_887766--'];
  }
  return [...head, 'Content-Type: text/plain; charset=utf-8', '', ...text.split('\n')];
}

/** Hand a message to an SMS gateway that takes Twilio's Messages form. */
export async function sms(gateway, to, body) {
  const form = new URLSearchParams({ To: to, From: '+15005550006', Body: body });
  const url = `${gateway}/2010-04-01/Accounts/AC00000000000000000000000000000000/Messages.json`;
  const headers = { Authorization: `Basic ${Buffer.from('AC00000000000000000000000000000000:secret').toString('base64')}` };
  try {
    const answer = await fetch(url, { method: 'POST', body: form, headers, signal: AbortSignal.timeout(5000) });
    if (!answer.ok) console.error(`sms: HTTP ${answer.status}`);
    await answer.arrayBuffer();
  } catch (error) {
    console.error(`sms: ${error.cause?.message || error.message}`);
  }
}

/** How long a message is on its way, in milliseconds: two to three seconds where that is asked for. */
export function lateness(odd) {
  if (odd('very-late-message')) return 2000 + 1000 * Math.random();
  return odd('late-message') ? 300 : 0;
}
