// Choices by a seed.
import { generator } from '../../__test__/support/random.js';

export class Random {
  #next;

  constructor(seed) {
    this.#next = generator(seed);
  }

  /** An integer from 0 to below `end`. */
  below(end) {
    return Math.floor(this.#next() * end);
  }

  chance(probability) {
    return this.#next() < probability;
  }

  one(list) {
    return list[this.below(list.length)];
  }

  /** Up to `most` of what `make` makes, each shorter list twice as likely as one that is longer by one. */
  some(most, make) {
    const list = [];
    while (list.length < most && this.chance(0.6)) list.push(make(list.length));
    return list;
  }

  /** `count` of what `make` makes. */
  many(count, make) {
    return Array.from({ length: count }, (_, index) => make(index));
  }

  shuffle(list) {
    for (let at = list.length - 1; at > 0; at--) {
      const other = this.below(at + 1);
      [list[at], list[other]] = [list[other], list[at]];
    }
    return list;
  }
}
