import { join } from 'node:path';
import { deferred } from './support/deferred';
import { temporaryFolder } from './support/process';
import { closeAll, open } from './support/sharedCaches';

afterEach(closeAll);

/** A little over 100 bytes, of which most are said before. */
const REPETITIVE = [
  'again and '.repeat(12),
  'снова и '.repeat(12),
  Buffer.alloc(120, 'again and '),
  { list: Array(60).fill('again') },
];

test('what is large enough is stored compressed, and every handle reads it as it was', async () => {
  const [packing, plain] = [open({ compressFrom: 100, shards: 1 }), open({ shards: 1 })];
  const other = open({ name: packing.name, shards: 1 });
  const { folder, remove } = temporaryFolder();
  for (const [index, value] of REPETITIVE.entries()) {
    const key = `${index}`;
    for (const cache of [packing, plain]) {
      expect(cache.set(key, value)).toBe(true);
      cache.setMany(Array.from({ length: 8 }, (_, n) => [`many ${key} ${n}`, value]));
    }
    expect(await packing.getOrLoad(`loaded ${key}`, () => value)).toEqual(value);
    expect(await other.getOrLoad(`loaded ${key}`, () => 'never')).toEqual(value);
    expect([other.get(key), packing.get(key)]).toEqual([value, value]);
    expect(other.getMany(Array(8).fill(`many ${key} 7`))).toEqual(Array(8).fill(value));
    expect(other.compareAndSet(key, 'another', 1)).toBe(false);
    expect(other.compareAndSet(key, value, value)).toBe(true);
    expect(packing.compareAndSet(key, value, value)).toBe(true);
  }
  expect(packing.metrics().bytes).toBeLessThan(plain.metrics().bytes - 1000);
  await packing.snapshot(join(folder, 'a'));
  const restored = open({ shards: 1 });
  expect(await restored.restore(join(folder, 'a'))).toBe(packing.size);
  expect(new Map(restored)).toEqual(new Map(packing));
  expect(Math.abs(restored.metrics().bytes - packing.metrics().bytes)).toBeLessThan(1000);
  remove();
});

test('who waits for a load in another handle has what was compressed as it was', async () => {
  const packing = open({ compressFrom: 100 });
  const other = open({ name: packing.name });
  const { promise, resolve: land } = deferred<string>();
  const loader = () => promise;
  const loads = [packing.getOrLoad('a', loader), other.getOrLoad('a', loader)];
  await null;
  land(REPETITIVE[0] as string);
  expect(await Promise.all(loads)).toEqual([REPETITIVE[0], REPETITIVE[0]]);
});

test('what is small, does not become smaller or is a number is stored as it is', () => {
  const [packing, plain] = [open({ compressFrom: 1, shards: 1 }), open({ shards: 1 })];
  for (const cache of [packing, plain]) {
    cache.set('bytes', Buffer.from(Array.from({ length: 250 }, (_, n) => n)));
    cache.set('text', 'short');
    cache.set('empty', '');
    expect([cache.incr('count'), cache.incr('count', 2)]).toEqual([1, 3]);
  }
  expect(packing.metrics().bytes).toBe(plain.metrics().bytes);
  expect(new Map(packing)).toEqual(new Map(plain));
});

test('a value that is too large for a shard is refused, however small it would become', () => {
  const cache = open({ maxBytes: 2 ** 20, compressFrom: 1 });
  expect(cache.set('a', 'x'.repeat(2 ** 20))).toBe(false);
  expect(cache.set('a', 'x'.repeat(2 ** 20 - 2 ** 14))).toBe(true);
  expect(cache.get('a')).toBe('x'.repeat(2 ** 20 - 2 ** 14));
  expect(cache.metrics().bytes).toBeLessThan(2 ** 16);
});
