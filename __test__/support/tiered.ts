import { BoundedLRUCache, SharedCache, TieredCache, type TieredCacheOptions } from 'keelson';
import { eventually } from './server';

type Remote = NonNullable<TieredCacheOptions['l3']>;
/** Options of a tiered cache, and those of its L3 by themselves. */
export type TierOptions = Omit<TieredCacheOptions, 'l1' | 'l2' | 'l3'> & {
  l3?: Partial<Remote>;
  l2?: SharedCache;
};

/** Milliseconds that nothing takes where a test is not about time: the machine may be busy. */
const PATIENCE = 20_000;
let made = 0;

/** A cache with tiers of its own, as a process of the fleet has it. */
export class Tier {
  readonly l1 = new BoundedLRUCache<string, unknown>({ maxSize: 100_000, ttl: 3600_000 });
  readonly l2: SharedCache;
  readonly cache: TieredCache;
  /** What it has told, in order. */
  readonly events: string[] = [];
  readonly errors: unknown[] = [];

  constructor({ l3, l2, ...options }: TierOptions, redis: Remote['redis']) {
    this.l2 = l2 ?? new SharedCache({ name: `tier ${process.pid} ${made++}` });
    this.cache = new TieredCache({
      l1: this.l1,
      l2: this.l2,
      // Changes that are not heard of at once are not heard of while a test runs.
      l3: { redis, timeout: PATIENCE, staleness: PATIENCE, ...l3 },
      ttl: 3600_000,
      ...options,
    });
    for (const event of ['redis-error', 'recovered', 'load-error', 'store-error'] as const)
      this.cache.on(event, () => this.events.push(event));
    this.cache.on('redis-error', (error) => this.errors.push(error));
  }

  get isUp(): boolean {
    return this.cache.metrics().redis!.connected;
  }

  /** Whether L1 or L2 have something of a key, of whatever age. */
  has(key: string): boolean {
    return this.l1.has(key) || this.l2.has(key);
  }

  /** The value of a key, wherever it is; 'nothing' from a source that has none. */
  read(key: string): Promise<unknown> {
    return this.cache.getOrLoad(key, () => 'nothing');
  }

  async end(): Promise<void> {
    await this.cache.close();
    this.l2.close();
  }
}

/** Tiers that are ended after the test. */
export function useTiers(redis: () => Remote['redis']) {
  const tiers: Tier[] = [];
  afterEach(async () => {
    for (const tier of tiers.splice(0)) await tier.end();
  });
  const make = (options: TierOptions = {}): Tier => {
    const tier = new Tier(options, options.l3?.redis ?? redis());
    tiers.push(tier);
    return tier;
  };
  /** So many that are connected. */
  const fleet = async (count: number, options: TierOptions = {}): Promise<Tier[]> => {
    const some = Array.from({ length: count }, () => make(options));
    await eventually(() => some.every(({ isUp }) => isUp));
    return some;
  };
  return { make, fleet };
}

/** A source that remembers how often it was asked for each key. */
export class Source {
  readonly values = new Map<string, unknown>();
  readonly loads: string[] = [];
  /** Loads wait for that. */
  gate: Promise<void> = Promise.resolve();
  error: Error | undefined;

  readonly load = async (key: string): Promise<unknown> => {
    this.loads.push(key);
    const value = this.values.get(key);
    await this.gate;
    if (this.error !== undefined) throw this.error;
    return value;
  };

  /** Has loads wait until what is returned is called. */
  close(): () => void {
    let open!: () => void;
    this.gate = new Promise((resolve) => {
      open = resolve;
    });
    return open;
  }
}

/** Resolves once a server has so many who listen to a channel. */
export const listened = (
  server: { command(...command: any[]): Promise<any> },
  channel: string,
  count: number,
): Promise<void> => eventually(async () => (await server.command('PUBSUB', 'NUMSUB', channel))[1] >= count);
