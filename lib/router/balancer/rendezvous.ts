import type { Balancer, Candidate } from './balancer.js';
import { draw } from './random.js';

/** Spreads each bit over all others: the end of MurmurHash3. */
function mix(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/** MurmurHash3 (32 bits) over UTF-16 units. It depends on the text and the seed alone: all processes agree. */
export function hashText(text: string, seed: number): number {
  let hash = seed | 0;
  for (let i = 0; i < text.length; i++) {
    let unit = Math.imul(text.charCodeAt(i), 0xcc9e2d51);
    unit = Math.imul((unit << 15) | (unit >>> 17), 0x1b873593);
    hash ^= unit;
    hash = Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64;
  }
  return mix(hash ^ text.length);
}

/**
 * Weighted rendezvous hashing (Thaler and Ravishankar's highest random weight, with Schindelhauer and Schomaker's
 * logarithmic weights): each candidate draws a number from the request's key and its own id, and the best one for
 * its weight wins. A key moves only from a candidate that lost weight or to one that gained some.
 *
 * The draw depends on the key, the id and the seed, so that several processes with the same handlers agree.
 */
export class Rendezvous implements Balancer {
  readonly #hashKey: (req: any) => unknown;
  readonly #seed: number;
  readonly #random: () => number;

  /** @param random serves the requests without a key */
  constructor(hashKey: (req: any) => unknown, seed: number, random: () => number) {
    this.#hashKey = hashKey;
    this.#seed = seed;
    this.#random = random;
  }

  pick(weights: readonly number[], candidates: readonly Candidate[], req: unknown): number {
    const key = this.#hashKey(req);
    if (key === undefined || key === null) return draw(weights, this.#random());
    const hashed = hashText(String(key), this.#seed);
    let best = -1;
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < weights.length; i++) {
      const weight = weights[i]!;
      if (weight === 0) continue;
      const uniform = (mix(hashed ^ candidates[i]!.hash) + 0.5) / 2 ** 32;
      // Exponentially distributed with the weight as its rate: the least of them is each one's by its share.
      const drawn = -Math.log(uniform) / weight;
      if (drawn < least) {
        best = i;
        least = drawn;
      }
    }
    return best;
  }
}
