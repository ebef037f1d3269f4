import type { Balancer, Candidate } from './balancer.js';
import { draw } from './random.js';

/**
 * The power of two choices: of two different candidates, drawn by weight, the one with the smaller load for its
 * weight; at a tie the one that was drawn first, so that an idle group is shared out by weight. The load is the
 * number of attempts under way. Mitzenmacher showed that two choices come close to looking at all of them, without
 * everybody running to the one that happens to be idle.
 */
export class LeastLoaded implements Balancer {
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  pick(weights: readonly number[], candidates: readonly Candidate[]): number {
    const first = draw(weights, this.#random());
    const second = draw(weights, this.#random(), first);
    if (second < 0) return first;
    const other = candidates[second]!.inFlight / weights[second]!;
    return other < candidates[first]!.inFlight / weights[first]! ? second : first;
  }
}
