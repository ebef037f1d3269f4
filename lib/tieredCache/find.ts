import { RedisAway } from './fleet.js';
import { isFresh } from './near.js';
import type { Tiers } from './tiers.js';

/** A look for a fresh value in L2 and L3, for all in this thread who want it meanwhile. */
export class Find {
  /** Whether the key has changed since it began: what was found is given, and not stored. */
  isOvertaken = false;

  /** undefined: there is none. */
  readonly value: Promise<unknown>;

  constructor(
    private readonly tiers: Tiers,
    private readonly key: string,
  ) {
    this.value = this.#run();
  }

  async #run(): Promise<unknown> {
    const { near, counts, fleet, ledger } = this.tiers;
    if (this.tiers.isBlind) await fleet?.follower.ready();
    const there = near.look(this.key);
    if (there !== undefined && isFresh(there)) {
      counts.l2Hits++;
      near.keep(this.key, there, true);
      return there.value;
    }
    if (fleet === undefined || !(await fleet.follower.ready())) return undefined;
    try {
      const read = await fleet.read(this.key);
      if (read.kind !== 'known' || !isFresh(read.known)) return undefined;
      counts.l3Hits++;
      const isOld = this.isOvertaken || ledger.isOverruled(this.key, read.known.envelope);
      if (!isOld) near.keep(this.key, read.known);
      return read.known.value;
    } catch (error) {
      if (error instanceof RedisAway) return undefined;
      throw error;
    }
  }
}
