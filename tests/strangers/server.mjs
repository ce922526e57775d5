// Which stranger is started? `node server.mjs --shape json200 [--bug NAME] [--odd NAME,NAME]`.

import http from 'node:http';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Bank } from './bank.mjs';
import { BUGS, ODDS } from './faults.mjs';
import { Outbox } from './deliver.mjs';
import { Json200, terms as json200 } from './json200.mjs';
import { AcsForm, terms as acsform } from './acsform.mjs';
import { Form, terms as form } from './form.mjs';
import { overRate, read, write } from './wire.mjs';

const SHAPES = { json200: [Json200, json200], acsform: [AcsForm, acsform], form: [Form, form] };

const { values: options } = parseArgs({
  options: {
    shape: { type: 'string' }, port: { type: 'string', default: '0' }, bug: { type: 'string', default: '' }, odd: { type: 'string', default: '' },
    validity: { type: 'string' }, lock: { type: 'string' }, smtp: { type: 'string', default: '' }, sms: { type: 'string', default: '' },
    cards: { type: 'string' }, token: { type: 'string', default: 'support' }, user: { type: 'string', default: 'shop:secret' },
    'list-bugs': { type: 'boolean' }, 'list-odds': { type: 'boolean' },
  },
});

if (options['list-bugs'] || options['list-odds']) {
  console.log(JSON.stringify(options['list-bugs'] ? BUGS : ODDS, null, 1));
  process.exit(0);
}

const wanted = { bug: options.bug.split(',').filter(Boolean), odd: options.odd.split(',').filter(Boolean) };
for (const [kind, known] of [['bug', BUGS], ['odd', ODDS]]) {
  for (const name of wanted[kind]) {
    if (!known[name]?.shapes.includes(options.shape)) throw new Error(`--${kind} ${name} is none of --shape ${options.shape}`);
  }
}

const bug = (name) => { known(BUGS, name); return wanted.bug.includes(name); };
const odd = (name) => { known(ODDS, name); return wanted.odd.includes(name); };
function known(table, name) {
  if (!table[name]) throw new Error(`${name} is in no table of faults.mjs`);
}

const clock = { shift: 0, now: () => Date.now() / 1000 + clock.shift };
const outbox = new Outbox();
const [Shape, terms] = SHAPES[options.shape];
const number = (text) => (text === undefined ? undefined : Number(text));
let shape;
const send = (payment, asked) => shape.message(payment, asked);
const bank = new Bank(terms({ validity: number(options.validity), lock: number(options.lock) }), { bug, odd, now: clock.now, send });
const server = http.createServer(serve);
shape = new Shape({
  bank, bug, odd, clock, outbox, smtp: options.smtp, gateway: options.sms, token: options.token, user: options.user,
  known: options.cards ? csv(options.cards) : [], origin: () => `http://127.0.0.1:${server.address().port}`,
});
if (odd('short-keepalive')) server.keepAliveTimeout = 50;

function csv(file) {
  const [names, ...lines] = readFileSync(file, 'utf8').trim().split('\n').map((line) => line.split(','));
  return lines.map((line) => Object.fromEntries(names.map((name, at) => [name, line[at]])));
}

async function serve(req, res) {
  const request = await read(req, res, odd).catch(() => null); // the client went away
  if (!request) return;
  let answer;
  try {
    if (!request.path.startsWith('/_') && overRate(odd)) answer = { status: 429, headers: { 'Retry-After': '1' }, body: 'slow down' };
    else answer = shape.finish(shape.answer(request), request);
  } catch (error) {
    answer = { status: 500, headers: { 'Content-Type': 'text/plain' }, body: `${error.name}` };
    if (!bug('crash-on-odd-types')) console.error(error);
  }
  if (odd('slow-start') && /orders$|send$|pay$/.test(request.path)) await new Promise((done) => setTimeout(done, 300));
  await write(res, answer, odd);
}

server.listen(Number(options.port), '127.0.0.1', () => console.log(`stranger on ${shape.origin()}`));
