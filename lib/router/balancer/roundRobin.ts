import type { Balancer } from './balancer.js';

/**
 * Smooth weighted round-robin as nginx has it: each candidate gains its weight, the richest is chosen and pays the
 * sum of the weights. Over a period each is chosen in exact proportion, and the heavy ones do not come in a row.
 */
export class SmoothRoundRobin implements Balancer {
  #current: number[] = [];

  pick(weights: readonly number[]): number {
    const current = this.#current;
    let total = 0;
    let best = -1;
    let most = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < weights.length; i++) {
      const weight = weights[i]!;
      if (weight === 0) continue;
      total += weight;
      const now = (current[i] ?? 0) + weight;
      current[i] = now;
      if (now > most) {
        best = i;
        most = now;
      }
    }
    current[best] = most - total;
    return best;
  }

  reset(): void {
    this.#current = [];
  }

  rescale(factor: number): void {
    this.#current = this.#current.map((current) => current * factor);
  }
}
