import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from './support/process';
import { closeAll, open } from './support/sharedCaches';

afterEach(closeAll);

describe('snapshots', () => {
  let folder: string;
  let remove: () => void;
  beforeEach(() => {
    ({ folder, remove } = temporaryFolder());
  });
  afterEach(() => remove());

  test('have all entries, with their times to live and tags', async () => {
    const path = join(folder, 'größe 😀.snapshot');
    const cache = open();
    cache.set('text', 'ä', { tags: ['t'] });
    cache.set('object', { a: [1n] }, { ttl: 60_000 });
    expect(await cache.snapshot(path)).toBe(2);
    const other = open();
    other.set('own', 1);
    expect(await other.restore(path)).toBe(2);
    expect(new Map(other)).toEqual(
      new Map<string, unknown>([
        ['text', 'ä'],
        ['object', { a: [1n] }],
        ['own', 1],
      ]),
    );
    expect(other.getRemainingTTL('object')).toBeLessThanOrEqual(60_000);
    expect(other.invalidateTag('t')).toBe(1);
    expect(readdirSync(folder)).toHaveLength(1);
  });

  test('that are damaged, of another kind or not there are refused, and nothing is done', async () => {
    const path = join(folder, 'a');
    const cache = open();
    cache.set('a', 1);
    await cache.snapshot(path);
    const good = readFileSync(path);
    const other = open();
    const damaged = Buffer.from(good);
    damaged[good.length - 5]! ^= 1;
    for (const bytes of [damaged, good.subarray(0, -1), Buffer.from('something else'), Buffer.alloc(0)]) {
      writeFileSync(path, bytes);
      await expect(other.restore(path)).rejects.toMatchObject({ code: 'ERR_KEELSON_SNAPSHOT' });
    }
    await expect(other.restore(join(folder, 'none'))).rejects.toMatchObject({ name: 'SnapshotError' });
    await expect(other.snapshot(join(folder, 'none', 'a'))).rejects.toMatchObject({ name: 'SnapshotError' });
    expect(other.size).toBe(0);
  });
});
