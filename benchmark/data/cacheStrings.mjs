import { random } from '../harness/zipf.mjs';

export const KEY_LENGTH = 20;

/** How many characters tell the number, each of six of its bits; they are at the end, since many keys begin alike. */
const TOLD = 5;
const FIRST = 48;

/**
 * Makes the string of a number, of so many characters: flat and of one byte each, as a parser makes them, and a new one
 * each time.
 */
export function stringMaker(length) {
  const uniform = random(length);
  const bytes = Buffer.from(Array.from({ length }, () => FIRST + Math.floor(uniform() * 64)));
  return (number) => {
    for (let place = 1, rest = number; place <= TOLD; place++, rest >>= 6) {
      bytes[length - place] = FIRST + (rest & 63);
    }
    return bytes.latin1Slice(0, length);
  };
}
