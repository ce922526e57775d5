// Pays with a one-time code, mistypes it once, and writes a history that `otpspec judge` reads:
//
//   rm -f history.jsonl
//   k6 run --vus 20 --duration 30s --log-format raw --console-output history.jsonl history.js
//   otpspec judge history.jsonl --policy safekey
//
// --console-output appends, so the file must not be there; nothing else may use console.log.
// Give codes as a keyed hash: only whether two are equal matters, and no code is in the file.
import crypto from 'k6/crypto';
import http from 'k6/http';

const BASE = __ENV.BASE_URL || 'http://127.0.0.1:8000';
const TOKEN = __ENV.OTPSPEC_TEST_TOKEN;
const KEY = hex(crypto.randomBytes(16)); // each VU has its own, as it has cards of its own
const JSON_BODY = { headers: { 'Content-Type': 'application/json' } };

// What the target's answers mean. A status that is not here is "unknown", and judges nothing.
const MEANS = {
  201: 'done',
  200: 'approved',
  403: 'wrong_otc',
  409: 'void',
  410: 'expired',
  423: 'locked',
  429: 'throttled',
};

export function setup() {
  console.log(JSON.stringify({ format: 'otpspec-history', version: 1, made_by: 'k6' }));
}

// Sends a request and remembers it. A line must be written for every request that was sent, also
// where no answer came: then it may have happened or not.
function ask(line, path, body) {
  const called = Date.now() / 1000;
  const response = http.post(BASE + path, JSON.stringify(body), JSON_BODY);
  const returned = (Date.now() + 1) / 1000; // Date.now() cuts the millisecond off: round outwards
  line.called = called;
  if (response.status !== 0) {
    line.returned = returned;
    line.answer = MEANS[response.status] || (response.status >= 500 ? 'unavailable' : 'unknown');
  }
  return response;
}

function write(line) {
  console.log(JSON.stringify(line));
}

function token(code) {
  return crypto.hmac('sha256', KEY, code, 'hex');
}

function enroll() {
  const n = `${__VU}`.padStart(5, '0') + `${__ITER}`.padStart(5, '0');
  const card = {
    pan: luhn('40000' + n),
    csc: '123',
    phone: '+1555' + n,
    email: `${n}@example.test`,
    passphrase: 'a passphrase',
  };
  const answer = http.post(`${BASE}/cards`, JSON.stringify(card), JSON_BODY);
  return { id: answer.json('card_id'), phone: card.phone };
}

// How a code is read is the target's own affair; here it is an outbox for tests.
function code(phone) {
  const path = `${BASE}/test/outbox?to=${encodeURIComponent(phone)}`;
  const outbox = http.get(path, { headers: { 'X-Test-Token': TOKEN } });
  return /\b(\d{6})\b/.exec(outbox.json('messages').pop().text)[1];
}

export default function () {
  const card = enroll();
  const start = { card: card.id, op: 'start', csc_required: false };
  const begun = ask(start, '/transactions', {
    card_id: card.id,
    amount: '12.00',
    currency: 'EUR',
    merchant: 'k6',
  });
  if (start.answer !== 'done') {
    start.challenge = `${card.id}/none`; // it has no name that the target gave
    write(start);
    return;
  }
  start.challenge = begun.json('transaction_id');
  const right = code(card.phone);
  start.code = token(right);
  start.seen = (Date.now() + 1) / 1000;
  write(start); // once its code is known
  const wrong = right === '000000' ? '000001' : '000000';
  for (const tried of [wrong, right, right]) {
    const verify = { card: card.id, op: 'verify', challenge: start.challenge, code: token(tried) };
    ask(verify, `/transactions/${start.challenge}/verify`, { otc: tried });
    write(verify);
  }
}

function hex(buffer) {
  return Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function luhn(digits) {
  let sum = 0;
  [...digits].reverse().forEach((digit, place) => {
    const twice = Number(digit) * (place % 2 === 0 ? 2 : 1);
    sum += twice > 9 ? twice - 9 : twice;
  });
  return digits + ((10 - (sum % 10)) % 10);
}
