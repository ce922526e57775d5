// How does an answer get onto the wire? Reads requests, writes answers, in the manners of strangers.

import { gzipSync } from 'node:zlib';
import { randomBytes } from 'node:crypto';

const LONGEST = 256 * 1024; // bytes of a request that are kept
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const perSecond = { second: 0, count: 0 };

/** A request with its body, or null where it was too long. */
export async function read(req, res, odd) {
  const url = new URL(req.url, 'http://stranger');
  const chunks = [];
  let size = 0;
  for await (const chunk of req) {
    size += chunk.length;
    if (size > LONGEST && odd('early-413')) {
      res.writeHead(413, { Connection: 'close' }).end();
      req.destroy();
      return null;
    }
    if (size <= LONGEST) chunks.push(chunk);
  }
  const raw = Buffer.concat(chunks).toString('utf8');
  return {
    method: req.method,
    path: url.pathname,
    query: url.searchParams,
    headers: req.headers,
    cookies: cookies(req.headers.cookie),
    tooLong: size > LONGEST,
    form: fields(raw),
    json: parsed(raw),
    from: whence(req),
  };
}

function cookies(header = '') {
  return Object.fromEntries(header.split(';').map((pair) => pair.trim().split('=')).filter((pair) => pair.length === 2));
}

/** Form fields by name; one that is there more than once is a list. */
function fields(raw) {
  const found = {};
  for (const [name, value] of new URLSearchParams(raw)) found[name] = name in found ? [].concat(found[name], value) : value;
  return found;
}

function parsed(raw) {
  try {
    const value = JSON.parse(raw || '{}');
    return value && typeof value === 'object' && !Array.isArray(value) ? value : {};
  } catch {
    return {};
  }
}

function whence(req) {
  const address = req.headers['x-forwarded-for'] || req.socket.remoteAddress;
  return { address, agent: req.headers['user-agent'] || '', claims: false };
}

/** Write an answer {status, headers, body}, oddly where that is asked for. */
export async function write(res, answer, odd) {
  if (odd('slow')) await pause(80);
  const headers = { ...answer.headers };
  let body = Buffer.from(answer.body || '', 'utf8');
  if (odd('random-header')) headers['X-Trace'] = randomBytes(8).toString('hex');
  if (odd('random-header-name')) headers[`X-${randomBytes(3).toString('hex')}`] = '1';
  if (odd('sometimes-header') && randomBytes(1)[0] % 3 === 0) headers['X-Cache-Node'] = 'edge-2';
  if (odd('tracking-cookie')) headers['Set-Cookie'] = [].concat(headers['Set-Cookie'] || [], `visit=${randomBytes(4).toString('hex')}; Path=/; Max-Age=60`);
  if (odd('bom') && /json/.test(headers['Content-Type'] || '')) body = Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), body]);
  if (odd('gzip')) {
    body = gzipSync(body);
    headers['Content-Encoding'] = 'gzip';
    headers.Vary = 'Accept-Encoding';
  }
  if (odd('connection-close')) headers.Connection = 'close';
  if (odd('lower-case-headers')) for (const name of Object.keys(headers)) { headers[name.toLowerCase()] = headers[name]; if (name !== name.toLowerCase()) delete headers[name]; }
  if (!odd('chunked')) headers['Content-Length'] = body.length;
  res.writeHead(answer.status, headers);
  if (odd('chunked')) for (let at = 0; at < body.length; at += 7) res.write(body.subarray(at, at + 7));
  res.end(odd('chunked') ? undefined : body);
}

/** Whether the server takes no more requests in this second: 40 are allowed. */
export function overRate(odd) {
  if (!odd('rate-limit')) return false;
  const second = Math.floor(Date.now() / 1000);
  if (perSecond.second !== second) Object.assign(perSecond, { second, count: 0 });
  perSecond.count += 1;
  return perSecond.count > 40;
}

export const escaped = (text) => String(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
