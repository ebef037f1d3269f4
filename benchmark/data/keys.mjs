import { random } from '../harness/zipf.mjs';

/** Addresses of clients; each of `count` is as likely as the others. */
export function addresses(length, count, seed) {
  const uniform = random(seed);
  return Array.from({ length }, () => addressOf(Math.floor(uniform() * count)));
}

const addressOf = (number) => `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;
