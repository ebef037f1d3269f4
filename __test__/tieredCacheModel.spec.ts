import { BoundedLRUCache, SharedCache, type TieredCacheWrite } from 'keelson';
import { generator } from './support/random';
import { closeAll, open, standStill, turn } from './support/tiers';

afterEach(async () => {
  await closeAll();
  jest.restoreAllMocks();
});

const KEYS = 40;
const TAGS = 5;
const seed = Number(process.env.KEELSON_SEED ?? Math.floor(Math.random() * 2 ** 32));
const modes = ['aside', 'through', 'behind'] as const;

/** Values are numbers that only grow, so that an older one shows. `text` makes L2 evict. */
interface Value {
  version: number;
  text: string;
}

test.each(modes.flatMap((mode) => [`${mode}, stale`, mode]))(
  `nobody gets what was changed before he asked, %s, seed ${seed}`,
  async (name) => {
    const mode = name.split(',')[0] as (typeof modes)[number];
    const random = generator(seed);
    const pick = (count: number) => Math.floor(random() * count);
    const advance = standStill();
    const source = new Map<string, Value>();
    const store = async (writes: readonly TieredCacheWrite<Value>[]) => {
      if (random() < 0.5) await turn();
      if (random() < 0.02) throw new Error('down');
      for (const { key, value } of writes) value === undefined ? source.delete(key) : source.set(key, value);
      if (random() < 0.5) await turn();
    };
    const { cache } = open<Value>({
      l1: new BoundedLRUCache(12),
      l2: new SharedCache<any>({ name: `model-${name}`, maxBytes: 2 ** 20, shards: 1 }),
      ...(mode !== 'aside' && { store, write: mode, maxPendingWrites: 5 }),
      ...(name !== mode && { stale: 30_000, grace: 40_000, graceBackoff: 1000 }),
      ...{ ttl: 60_000, ttlJitter: 0.1, negativeTtl: 5000 },
    });
    let version = 0;
    const make = (): Value => ({ version: ++version, text: 'x'.repeat(pick(60_000)) });
    /** By key, what its values must have at least. */
    const floors = new Map<string, number>();
    const tagsOf = (key: string) => [`tag ${Number(key) % TAGS}`];
    const load = async (key: string) => {
      const before = source.get(key);
      for (let turns = pick(4); turns > 0; turns--) await turn();
      if (random() < 0.1) throw new Error('down');
      return random() < 0.5 ? before : source.get(key);
    };
    const wrong: unknown[] = [];
    let found = 0;
    const check = (key: string, floor: number, value: Value | undefined): void => {
      if (value === undefined) return;
      found++;
      if (value.version < floor) wrong.push({ key, floor, version: value.version });
    };
    let underWay = 0;
    /** What the source did not take has not changed. */
    const changed = async (keys: string[], change: Promise<void>): Promise<void> => {
      const versions = keys.map((key) => (keys.length === 1 ? version : source.get(key)!.version));
      underWay++;
      const isDone = await change.then(
        () => true,
        () => false,
      );
      underWay--;
      if (!isDone) return;
      for (const [n, key] of keys.entries()) floors.set(key, Math.max(floors.get(key) ?? 0, versions[n]!));
    };
    const all = Array.from({ length: KEYS }, (_, n) => `${n}`);
    const calls: Promise<void>[] = [];
    const changes: Promise<void>[] = [];
    const change = (key: string): Promise<void> => {
      const [what, value] = [random(), make()];
      if (mode !== 'aside')
        return changed([key], what < 0.7 ? cache.set(key, value, { tags: tagsOf(key) }) : cache.delete(key));
      if (what > 0.8) return invalidate(key, what > 0.97);
      source.set(key, value);
      return changed([key], what < 0.4 ? cache.set(key, value, { tags: tagsOf(key) }) : cache.delete(key));
    };
    const invalidate = async (key: string, isAll: boolean): Promise<void> => {
      // A value that is set meanwhile may be set before or after.
      while (underWay > 0) await turn();
      const [tag] = tagsOf(key);
      const tagged = all.filter((name) => isAll || tagsOf(name)[0] === tag);
      for (const other of tagged) source.set(other, make());
      await changed(tagged, isAll ? cache.clear() : cache.invalidateTag(tag!));
    };
    const look = async (key: string): Promise<void> => {
      const [what, floor] = [random(), floors.get(key) ?? 0];
      if (what < 0.2) return check(key, floor, cache.getSync(key));
      const value = what < 0.4 ? cache.get(key) : cache.getOrLoad(key, load, { tags: tagsOf(key) });
      await value.then((value) => check(key, floor, value)).catch(() => {});
    };
    for (let step = 0; step < 4000; step++) {
      const [what, key] = [random(), all[pick(KEYS)]!];
      const call = what < 0.15 ? change(key) : look(key);
      (what < 0.15 ? changes : calls).push(call);
      if (random() < 0.1) advance(pick(10_000));
      if (random() < 0.3) await (random() < 0.2 ? call : turn());
    }
    await Promise.all([...calls, ...changes]);
    expect(wrong).toEqual([]);
    const { l1Hits, l2Hits, loads } = cache.metrics();
    expect([found > 500, l1Hits > 50, l2Hits > 50, loads > 50]).toEqual([true, true, true, true]);
  },
);
