const TTL = 300_000;

/** Each cache as its users have it: bounded, and with a time to live where it has one. */
export const caches = {
  async keelson(max) {
    const { BoundedLRUCache } = await import('keelson');
    return new BoundedLRUCache(max, TTL);
  },
  async 'lru-cache'(max) {
    const { LRUCache } = await import('lru-cache');
    return new LRUCache({ max, ttl: TTL });
  },
  async 'mnemonist LRUMap'(max) {
    const { LRUMap } = await import('mnemonist');
    return new LRUMap(max);
  },
  async 'quick-lru'(max) {
    const { default: QuickLRU } = await import('quick-lru');
    return new QuickLRU({ maxSize: max, maxAge: TTL });
  },
  async 'tiny-lru'(max) {
    const { lru } = await import('tiny-lru');
    return lru(max, TTL);
  },
};

/** A benchmark's contestants: `measure` makes the sampler out of a cache of `max` entries. */
export function cacheContestants(max, measure) {
  return Object.fromEntries(
    Object.entries(caches).map(([name, create]) => [name, async () => measure(await create(max))]),
  );
}

/** quick-lru keeps two generations, up to twice its maxSize: it finds more, and is not held to the others' answer. */
export const unlike = {
  'quick-lru': 'keeps up to twice the entries (two generations), so its hits and its memory differ',
};

export const cacheNotes = [
  `keelson, lru-cache, quick-lru and tiny-lru run with a time to live of ${TTL} ms; LRUMap has none.`,
  'keelson and tiny-lru count hits and misses on every call; the others keep no statistics.',
  'lru-cache reads the clock once and forgets the time in a timer, which a loop without pauses never lets run: here it reads the clock once a round in get().',
  'quick-lru keeps up to twice the entries it was asked to keep, and tells recency only by generation.',
];
