// What is a code? How it is made, and what of the things that are typed may be one.

import { randomInt } from 'node:crypto';

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
let counter = 20000;

export function makeCode(bank, card) {
  const { bug, terms } = bank;
  if (terms.letters) {
    if (bug('small-pool')) return LETTERS[randomInt(8)].repeat(8);
    return Array.from({ length: 8 }, () => LETTERS[randomInt(26)]).join('');
  }
  if (bug('one-code-per-card')) return (card.code ??= digits(randomInt(10 ** 6)));
  if (bug('codes-count-up')) return digits((counter += 1 + randomInt(3)));
  if (bug('no-leading-zero')) return String(100000 + randomInt(900000));
  if (bug('small-pool')) return digits(randomInt(120) * 7919);
  if (bug('five-digits')) return digits(randomInt(10 ** 5)).slice(1);
  return digits(randomInt(10 ** 6));
}

const digits = (number) => String(number).padStart(6, '0');

/** How a message spells a code. */
export function spell(bank, code) {
  return bank.terms.letters ? `${code.slice(0, 4)}-${code.slice(4)}` : code;
}

/** What was typed, as a code to compare; null where it has not the form of one. */
export function readCode(bank, typed) {
  const { bug, odd, terms } = bank;
  if (typeof typed === 'number' && odd('numbers-taken')) return String(typed);
  if (bug('crash-on-odd-types')) typed = typed.trim(); // throws where it is no text
  if (typeof typed !== 'string') return null;
  if (terms.letters) {
    const text = typed.replaceAll('-', '').toUpperCase();
    if (bug('more-passes')) return /^[A-Z]{8,}$/.test(text) ? text.slice(0, 8) : null;
    return /^[A-Z]{8}$/.test(text) ? text : null;
  }
  if (bug('prefix-passes') || bug('more-passes') || bug('numbers-compared')) return /^\s*[-+\d.e]+\s*$/.test(typed) ? typed : null;
  if (bug('other-digits')) typed = typed.normalize('NFKC').replace(/[\u0660-\u0669]/g, (c) => c.charCodeAt(0) - 0x660);
  if (bug('used-by-spelling') || odd('spaces-ignored')) typed = typed.replace(/\s/g, '');
  return (bug('five-digits') ? /^\d{5}$/ : /^\d{6}$/).test(typed) ? typed : null;
}
