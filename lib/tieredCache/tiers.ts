import type { RedisError } from '../errors.js';
import { ABSENT, Envelope } from './envelope.js';
import type { Find } from './find.js';
import { Fleet } from './fleet.js';
import type { Flight } from './flight.js';
import type { Hearer } from './follower.js';
import { Ledger } from './ledger.js';
import { type Known, Near } from './near.js';
import type { TieredCacheSetOptions, TieredSettings } from './options.js';
import { Owed } from './owed.js';
import { LONGEST } from './scripts.js';
import { type Change, Threads } from './threads.js';

/** What the tiers tell. */
export interface TierHooks {
  loadFailed(key: string, error: unknown): void;
  redisFailed(error: RedisError): void;
  recovered(downMs: number): void;
}

const FOREVER = Number.POSITIVE_INFINITY;

/** Where L2 says until which position of the news, and of which epoch, it is right, for who comes later or restores a snapshot. */
const POSITION = '\0position of the tiered cache';

/** The tiers of a cache in this thread, and the reads that are under way in them. */
export class Tiers implements Hearer {
  readonly ledger = new Ledger();
  readonly near: Near;
  readonly fleet: Fleet | undefined;
  readonly owed = new Owed();
  readonly flights = new Map<string, Flight>();
  readonly finds = new Map<string, Find>();
  readonly counts = {
    ...{ l2Hits: 0, l3Hits: 0, misses: 0, staleHits: 0, graceHits: 0 },
    ...{ loads: 0, loadErrors: 0, sets: 0, deletes: 0, invalidations: 0, storeErrors: 0 },
  };
  readonly #threads: Threads | undefined;

  constructor(
    readonly settings: TieredSettings<any>,
    readonly hooks: TierHooks,
  ) {
    const { l1, l2, l3 } = settings;
    this.near = new Near(l1, l2, this.ledger);
    if (l2 !== undefined)
      this.#threads = new Threads(l2.cache.name, (change) => this.#changedInProcess(change));
    if (l3 === undefined) return;
    const known = l2?.cache.get(POSITION);
    if (Array.isArray(known)) [this.ledger.position, this.ledger.epoch] = known as [number, number];
    this.fleet = new Fleet(l3, this.ledger, this);
  }

  /** Whether it is not known yet what L2, which may be a restored one, has missed. */
  get isBlind(): boolean {
    return this.fleet?.follower.isStarting ?? false;
  }

  /** A value as it is from now on; {@link ABSENT} for none. */
  seal(value: unknown, { ttl, tags = [] }: TieredCacheSetOptions, position = this.ledger.position): Known {
    const { settings } = this;
    const isAbsent = value === ABSENT;
    const span = isAbsent ? settings.negativeTtl : (ttl ?? settings.ttl);
    // Of what is cut by Redis nobody could tell for how long it is fresh.
    const most = this.fleet === undefined || span === FOREVER ? FOREVER : LONGEST;
    const fresh = Math.min(span * (1 - settings.ttlJitter * Math.random()), most);
    const keep = isAbsent ? 0 : Math.min(Math.max(settings.stale, settings.grace), most - fresh || 0);
    return {
      envelope: Envelope.seal(value, tags, position, fresh === 0 ? 0 : Date.now() + fresh, keep),
      value,
    };
  }

  /** No value, and nothing to remember of that. */
  nothing(): Known {
    return { envelope: Envelope.seal(ABSENT, [], 0, 0, 0), value: ABSENT };
  }

  /** Nothing of a key's that is under way or in L1 and L2 is of use any more; L2 keeps what is newer than a position. */
  drop(key: string, position?: number): void {
    this.overtake(key);
    this.near.drop(key, position);
  }

  /** What is under way for a key is not stored, and who asks from now on does not join it. */
  overtake(key: string): void {
    for (const reads of [this.flights, this.finds]) {
      const read = reads.get(key);
      if (read === undefined) continue;
      read.isOvertaken = true;
      reads.delete(key);
    }
  }

  dropTag(tag: string): void {
    this.#overtakeTag(tag);
    this.near.dropTag(tag);
  }

  clear(): void {
    this.#overtakeAll();
    this.near.clear();
  }

  /** Tells the other threads of a change. */
  tellThreads(change: Change): void {
    this.#threads?.tell(change);
  }

  #changedInProcess({ key, tag }: Change): void {
    if (key !== undefined) {
      this.overtake(key);
      this.near.dropFromL1(key);
    } else if (tag !== undefined) {
      this.#overtakeTag(tag);
      this.near.dropTagFromL1(tag);
    } else {
      this.#overtakeAll();
      this.near.clearL1();
    }
  }

  #overtakeTag(tag: string): void {
    for (const [key, flight] of this.flights) {
      // L2 learns of a load's tags when it ends: who asks from now on would wait for that.
      if (flight.tags.includes(tag)) this.drop(key);
      else flight.invalidated.add(tag);
    }
  }

  #overtakeAll(): void {
    for (const reads of [this.flights, this.finds]) for (const key of reads.keys()) this.overtake(key);
  }

  began(isWhole: boolean): void {
    if (!isWhole) this.settings.l2?.cache.clear();
  }

  heard(): void {
    const { position, epoch } = this.ledger;
    this.settings.l2?.cache.set(POSITION, [position, epoch], { ttl: Number.POSITIVE_INFINITY });
  }

  changedKey(key: string, position: number): void {
    this.counts.invalidations++;
    this.drop(key, position);
  }

  changedTag(tag: string): void {
    this.counts.invalidations++;
    this.dropTag(tag);
  }

  cleared(): void {
    this.counts.invalidations++;
    this.clear();
  }

  missed(): void {
    this.clear();
  }

  get owes(): boolean {
    return this.owed.size > 0;
  }

  resume(): Promise<void> {
    return this.owed.pay(this.fleet!.remote);
  }

  failed(error: RedisError): void {
    this.hooks.redisFailed(error);
  }

  recovered(downMs: number): void {
    this.hooks.recovered(downMs);
  }

  close(): void {
    this.#threads?.close();
    this.fleet?.close();
  }
}
