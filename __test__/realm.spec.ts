// Jest runs each spec in a realm of its own, in which the addon's own `Error` and `Object` are strangers.
import * as keelson from 'keelson';
import { BoundedLRUCache, CircularBuffer, KeelsonError, TimerManager } from 'keelson';
import useEverything from './support/everything.js';

test('errors are of the realm that called', () => {
  const refused = () => new BoundedLRUCache(0);
  expect(refused).toThrow(Error);
  expect(refused).toThrow(KeelsonError);
  expect(refused).toThrow(keelson.InvalidArgumentError);
  expect(refused).toThrow(expect.objectContaining({ code: 'ERR_KEELSON_INVALID_ARGUMENT' }));
});

test('use after destroy gives an error of this realm', () => {
  const manager = new TimerManager();
  manager.destroy();
  const used = () => manager.setTimeout(() => {}, 1);
  expect(used).toThrow(Error);
  expect(used).toThrow(keelson.DestroyedError);
  expect(used).toThrow('TimerManager has been destroyed');
});

test('a returned object is a plain object of this realm', () => {
  const cache = new BoundedLRUCache<string, number>(2);
  for (const stats of [new TimerManager().getStats(), cache.getStats()]) {
    expect(Object.getPrototypeOf(stats)).toBe(Object.prototype);
    expect(stats).toStrictEqual({ ...stats });
  }
});

test('a returned array is an array of this realm', () => {
  const cache = new BoundedLRUCache<string, number>(2);
  cache.set('a', 1);
  const buffer = new CircularBuffer<number>(2);
  buffer.push(1);
  for (const array of [cache.keys(), cache.values(), cache.entries(), cache.entries()[0], buffer.getAll()]) {
    expect(array).toBeInstanceOf(Array);
  }
  expect(cache.entries()).toStrictEqual([['a', 1]]);
});

test('everything is found as it must be, strictly', async () => {
  const found = await useEverything(keelson);
  expect(found).toStrictEqual(useEverything.FOUND);
  keelson.timerManager.destroy();
});
