import { useProxy } from './support/proxy';
import { generator } from './support/random';
import { SLACK, times, useRedis } from './support/redis';
import { eventually } from './support/server';
import { type Tier, useTiers } from './support/tiered';

// Histories by chance: caches that read and change a source together, whatever becomes of their Redis.

const server = useRedis();
const proxies = [useProxy(server), useProxy(server), useProxy(server)];
const { fleet, make } = useTiers(() => server.config);

/** For a minute with KEELSON_MINUTE=1. */
const SPAN = process.env.KEELSON_MINUTE ? 60_000 : 6_000;
const seed = Number(process.env.KEELSON_SEED ?? Math.floor(Math.random() * 2 ** 32));
const STALENESS = 200;
/** So many that what is missed stays for long: changes of a key are seconds apart. */
const KEYS = Array.from({ length: 60 }, (_, n) => `key ${n}`);
/** Each key has the tag of its like. */
const TAGS = ['tag 0', 'tag 1', 'tag 2'];
const tagOf = (key: string): string => `tag ${Number(key.slice(4)) % TAGS.length}`;

jest.setTimeout(SPAN + 120_000);
afterEach(async () => {
  for (const proxy of proxies) await proxy.pass();
  if (!server.isRunning) await server.start();
  await server.command('FLUSHALL');
});

/** The source: each key has a version that grows, and what is known of when everybody had to know of it. */
class Truth {
  private last = 0;
  readonly versions = new Map(KEYS.map((key) => [key, 0]));
  /** Of each key, changes that were acknowledged while Redis answered: the version, and when. */
  readonly acknowledged = new Map<string, [version: number, at: number][]>(KEYS.map((key) => [key, []]));

  change(keys: string[]): number {
    const version = ++this.last;
    for (const key of keys) this.versions.set(key, version);
    return version;
  }

  acknowledge(keys: string[], version: number): void {
    for (const key of keys) this.acknowledged.get(key)!.push([version, performance.now()]);
  }

  /** The least that may be read by who begins now. */
  least(key: string, slack: number): number {
    const due = performance.now() - STALENESS - slack;
    const all = this.acknowledged.get(key)!;
    return all.reduce((least, [version, at]) => (at <= due ? Math.max(least, version) : least), 0);
  }
}

class History {
  readonly truth = new Truth();
  readonly findings: string[] = [];
  /** Redis answers all, and has done so since then. */
  calmSince = performance.now();
  reads = 0;
  goesOn = true;

  constructor(
    private readonly tiers: Tier[],
    private readonly random: () => number,
  ) {}

  readonly below = (limit: number): number => Math.floor(this.random() * limit);
  private readonly pick = <T>(some: readonly T[]): T => some[this.below(some.length)]!;
  private readonly rest = (ms: number) => new Promise((resolve) => setTimeout(resolve, this.random() * ms));

  private readonly load = async (key: string): Promise<number> => {
    const version = this.truth.versions.get(key)!;
    // As what was read long ago arrives late.
    await this.rest(this.below(3) === 0 ? 60 : 2);
    return version;
  };

  get isCalm(): boolean {
    return this.calmSince !== Number.POSITIVE_INFINITY && this.tiers.every(({ isUp }) => isUp);
  }

  async read(tier: Tier, key: string): Promise<void> {
    const [least, calm] = [this.truth.least(key, SLACK), this.calmSince];
    const wasCalm = this.isCalm && performance.now() - calm > STALENESS + SLACK;
    const version = (await tier.cache.getOrLoad(key, this.load, { tags: [tagOf(key)] })) as number;
    this.reads++;
    if (wasCalm && version < least) this.findings.push(`${key}: ${version}, but at least ${least}`);
    if (version > this.truth.versions.get(key)!) this.findings.push(`${key}: ${version} from nowhere`);
  }

  async change(tier: Tier, key = this.pick(KEYS)): Promise<void> {
    // What drops all, or many, hides what was missed before.
    const kind = this.below(500);
    const tag = this.pick(TAGS);
    const keys = kind < 495 ? [key] : kind < 499 ? KEYS.filter((one) => tagOf(one) === tag) : KEYS;
    // It is told after the source has it.
    const version = this.truth.change(keys);
    if (kind < 250) await tier.cache.delete(key);
    else if (kind < 495) await this.#set(tier, key, version);
    else if (kind < 499) await tier.cache.invalidateTag(tag);
    else await tier.cache.clear();
    if (this.isCalm) this.truth.acknowledge(keys, version);
    if (this.below(3) > 0) return;
    // Once more, while it is loaded.
    await this.rest(30);
    await this.change(this.pick(this.tiers), key);
  }

  /** As `store` would have it: changes of a key are in the source and in L3 in the same order. */
  readonly #tails = new Map<string, Promise<void>>();
  async #set(tier: Tier, key: string, version: number): Promise<void> {
    const turn = (this.#tails.get(key) ?? Promise.resolve()).then(async () => {
      if (this.truth.versions.get(key) === version)
        await tier.cache.set(key, version, { tags: [tagOf(key)] });
      // Something later has come; whoever changed that tells.
      if (this.truth.versions.get(key) !== version) await tier.cache.delete(key);
    });
    this.#tails.set(key, turn);
    await turn;
  }

  async stream(act: () => Promise<void>, pause: number): Promise<void> {
    while (this.goesOn) {
      await act();
      await this.rest(pause);
    }
  }

  /** Does something to Redis, and has it be well again. */
  async fault(): Promise<void> {
    await this.rest(800);
    this.calmSince = Number.POSITIVE_INFINITY;
    const proxy = this.pick(proxies);
    switch (this.below(6)) {
      case 0:
        await server.kill();
        await this.rest(400);
        await server.start();
        break;
      case 1:
        proxy.close();
        await this.rest(600);
        break;
      case 2:
        proxy.swallow();
        await this.rest(600);
        proxy.cut();
        break;
      case 3:
        await server.command('FLUSHALL');
        break;
      case 4:
        await server.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
        break;
      default:
        await server.command('CLIENT', 'KILL', 'TYPE', 'normal');
    }
    await proxy.pass();
    await eventually(() => this.tiers.every(({ isUp }) => isUp));
    this.calmSince = performance.now();
    // Time in which what is read is held against what is known.
    if (this.below(2) === 0) await this.rest(2 * (STALENESS + SLACK));
  }

  async run(hasFaults: boolean): Promise<void> {
    const { tiers } = this;
    const streams = tiers.flatMap((tier) => [
      ...[0, 1, 2, 3].map(() => this.stream(() => this.read(tier, this.pick(KEYS)), 4)),
      this.stream(() => this.change(tier), 150),
    ]);
    const end = performance.now() + SPAN;
    if (hasFaults) while (performance.now() < end) await this.fault();
    else await eventually(() => performance.now() > end, SPAN + 30_000);
    this.goesOn = false;
    await Promise.all(streams);
  }
}

test.each([
  ['a Redis in good health', false],
  ['kills, partitions and losses', true],
])(`%s, seed ${seed}: nobody is late, and all agree in the end`, async (_, hasFaults) => {
  const tiers = await Promise.all(
    proxies.map(async ({ host, port }) => {
      const l3 = { redis: { host, port }, timeout: hasFaults ? 200 : 20_000, staleness: STALENESS };
      return (await fleet(1, { l3: { ...l3, lease: 1000 } }))[0]!;
    }),
  );
  const history = new History(tiers, generator(seed));
  await history.run(hasFaults);
  await eventually(() => tiers.every(({ isUp }) => isUp));
  const { truth } = history;
  const agree = async (): Promise<boolean> => {
    const found = await times(KEYS.length * tiers.length, (n) =>
      tiers[n % tiers.length]!.cache.getOrLoad(KEYS[Math.floor(n / tiers.length)]!, () => -1),
    );
    return found.every(
      (version, n) => version === -1 || version === truth.versions.get(KEYS[Math.floor(n / tiers.length)]!),
    );
  };
  await eventually(agree, 10_000);
  const late = make();
  for (const key of KEYS)
    expect([truth.versions.get(key), -1, undefined]).toContain(await late.cache.get(key));
  expect(history.findings).toEqual([]);
  expect(history.reads).toBeGreaterThan(SPAN / 20);
});
