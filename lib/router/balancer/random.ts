import type { Balancer } from './balancer.js';

/**
 * An index by chance, in proportion to the weights; `without` is passed over. -1 where no other has any weight.
 *
 * @param random a number from 0 to 1
 */
export function draw(weights: readonly number[], random: number, without = -1): number {
  let total = 0;
  for (let i = 0; i < weights.length; i++) if (i !== without) total += weights[i]!;
  let left = random * total;
  let last = -1;
  for (let i = 0; i < weights.length; i++) {
    const weight = weights[i]!;
    if (i === without || weight === 0) continue;
    last = i;
    left -= weight;
    if (left < 0) break;
  }
  // Rounding can leave something over; that belongs to the last one.
  return last;
}

/** Each request goes to a candidate by chance, in proportion to the weights. */
export class WeightedRandom implements Balancer {
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  pick(weights: readonly number[]): number {
    return draw(weights, this.#random());
  }
}
