import { DestroyedError, TimeoutError } from '../errors.js';
import { within } from '../within.js';
import { RedisAway } from './fleet.js';
import type { Known } from './near.js';
import type { TieredCacheSetOptions } from './options.js';
import { ALL_MEMBER, memberOfKey, memberOfTag } from './remote.js';
import { WriteBehind } from './source.js';
import type { Tiers } from './tiers.js';

/** Changes to keys, tags and all, in all tiers and the source. Those of a key go one after the other. */
export class Writes {
  readonly #tiers: Tiers;
  readonly #behind: WriteBehind | undefined;
  /** The latest change of each key that is under way. */
  readonly #tails = new Map<string, Promise<unknown>>();

  /** @param failed is told of a write that the source did not take, which will be tried again */
  constructor(tiers: Tiers, failed: (error: unknown, writes: number) => void) {
    const { store, isBehind, maxPendingWrites } = tiers.settings;
    this.#tiers = tiers;
    if (store !== undefined && isBehind) this.#behind = new WriteBehind(store, maxPendingWrites, failed);
  }

  /** Writes that wait for the source. */
  get pending(): number {
    return this.#behind?.size ?? 0;
  }

  /** What is about to be written to the source under a key. */
  find(key: string): { readonly value: unknown } | undefined {
    return this.#behind?.find(key);
  }

  /** undefined for the deletion of a key. */
  async write(key: string, value: unknown, options: TieredCacheSetOptions): Promise<void> {
    // What cannot be stored is refused before anything is done.
    const known = value === undefined ? undefined : this.#tiers.seal(value, options);
    this.#tiers.counts[known === undefined ? 'deletes' : 'sets']++;
    if (!this.#tiers.settings.isBehind) return this.#inOrder(key, () => this.#through(key, known));
    await this.#behind?.add(key, value);
    this.#keep(key, known);
    void this.#inOrder(key, () => this.#toFleet(key, known));
  }

  async #through(key: string, known: Known | undefined): Promise<void> {
    const tiers = this.#tiers;
    if (tiers.settings.store !== undefined) {
      try {
        await tiers.settings.store([{ key, value: known?.value }]);
      } catch (error) {
        // Whether the source has it is not known: it is asked next time.
        tiers.drop(key);
        await this.#toFleet(key, undefined);
        this.#keep(key, undefined);
        throw error;
      }
    }
    if (known === undefined) tiers.drop(key);
    await this.#toFleet(key, known);
    // Somebody else's change may have come behind it.
    const isLast = known === undefined || !tiers.ledger.isOverruled(key, known.envelope);
    this.#keep(key, isLast ? known : undefined);
  }

  /** In L1 and L2, as of now. */
  #keep(key: string, known: Known | undefined): void {
    const tiers = this.#tiers;
    tiers.drop(key);
    if (known !== undefined) tiers.near.keep(key, known);
    tiers.tellThreads({ key });
  }

  /** Changes L3 and tells the fleet, or owes it that. The value has its position from then on. */
  async #toFleet(key: string, known: Known | undefined): Promise<void> {
    const { fleet, owed, ledger } = this.#tiers;
    if (fleet === undefined) return;
    const { remote, follower } = fleet;
    try {
      if (!(await follower.ready())) throw new RedisAway();
      const { position } = ledger;
      if (known !== undefined) known.envelope.position = position;
      const life = known?.envelope.life(Date.now()) ?? 0;
      const isOfUse = known !== undefined && life > 0;
      await fleet.ask(isOfUse ? remote.write(key, known.envelope.bytes, life) : remote.delete(key));
      const [before, told] = await fleet.announce([memberOfKey(key)]);
      // Otherwise somebody may have changed it in between, so that it is not what L3 has.
      if (known !== undefined && before <= position) known.envelope.position = told;
    } catch (error) {
      if (!(error instanceof RedisAway)) throw error;
      owed.key(key);
    }
  }

  async invalidateTag(tag: string): Promise<void> {
    const tiers = this.#tiers;
    tiers.dropTag(tag);
    tiers.tellThreads({ tag });
    const position = await this.#announce(memberOfTag(tag), () => tiers.owed.tag(tag));
    if (position === undefined) return;
    tiers.ledger.tagChanged(tag, position);
    // What was stored meanwhile may be from before.
    tiers.dropTag(tag);
    tiers.tellThreads({ tag });
  }

  async clear(): Promise<void> {
    const tiers = this.#tiers;
    tiers.clear();
    tiers.tellThreads({});
    const position = await this.#announce(ALL_MEMBER, () => tiers.owed.all());
    if (position === undefined) return;
    tiers.ledger.cleared = Math.max(tiers.ledger.cleared, position);
    tiers.clear();
    tiers.tellThreads({});
  }

  async #announce(member: string, owe: () => void): Promise<number | undefined> {
    const { fleet } = this.#tiers;
    if (fleet === undefined) return undefined;
    try {
      if (!(await fleet.follower.ready())) throw new RedisAway();
      return (await fleet.announce([member]))[1];
    } catch (error) {
      if (!(error instanceof RedisAway)) throw error;
      owe();
      return undefined;
    }
  }

  #inOrder<T>(key: string, change: () => Promise<T>): Promise<T> {
    const tail = this.#tails.get(key);
    const turn = tail === undefined ? change() : tail.then(change, change);
    this.#tails.set(key, turn);
    const end = (): void => {
      if (this.#tails.get(key) === turn) this.#tails.delete(key);
    };
    turn.then(end, end);
    return turn;
  }

  /** @throws TimeoutError if something is left after so many milliseconds, which is given up */
  async endedWithin(timeout: number): Promise<void> {
    await within(timeout, this.ended(), () => {
      const left = this.#behind?.giveUp(new DestroyedError('The tiered cache was closed')) ?? 0;
      return new TimeoutError(`Writing what a tiered cache has changed (${left} writes are lost)`, timeout);
    });
  }

  /** Resolves when what is under way now is no more. */
  async flushed(): Promise<void> {
    await this.#behind?.written();
    await Promise.allSettled([...this.#tails.values()]);
  }

  /** Resolves when nothing is under way any more. */
  async ended(): Promise<void> {
    await this.#behind?.ended();
    while (this.#tails.size > 0) await Promise.allSettled(this.#tails.values());
  }
}
