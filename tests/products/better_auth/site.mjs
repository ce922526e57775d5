// A site of nothing but better-auth and its emailOTP plugin; what a test may vary is in SITE_….
// Everything that is not set here is the product's default.

import http from 'node:http';
import { betterAuth } from 'better-auth';
import { memoryAdapter } from 'better-auth/adapters/memory';
import { toNodeHandler } from 'better-auth/node';
import { emailOTP } from 'better-auth/plugins';

const { SITE_PORT, SITE_GATEWAY, SITE_VALIDITY } = process.env;

/** Hand a code to where messages go; not awaited, as the product's documentation recommends. */
function send(to, text) {
  fetch(SITE_GATEWAY, { method: 'POST', body: new URLSearchParams({ To: to, Body: text }) })
    .then((answer) => answer.arrayBuffer())
    .catch((error) => console.error(`mail: ${error.message}`));
}

const auth = betterAuth({
  baseURL: `http://127.0.0.1:${SITE_PORT}`,
  secret: 'of-the-tests-only, and long enough for the product',
  telemetry: { enabled: false },
  database: memoryAdapter({ user: [], session: [], account: [], verification: [] }),
  rateLimit: { enabled: false }, // a whole run comes from one address
  plugins: [
    emailOTP({
      expiresIn: Number(SITE_VALIDITY),
      sendVerificationOTP: async ({ email, otp }) => send(email, `Your code is ${otp}.`),
    }),
  ],
});

http.createServer(toNodeHandler(auth)).listen(Number(SITE_PORT), '127.0.0.1');
