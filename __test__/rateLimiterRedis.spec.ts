import { useChildren } from './support/limiterChildren';
import { ALGORITHMS, connections, LONG, PATIENCE, times, useLimiters, useRedis } from './support/redis';
import { eventually } from './support/server';

const QUOTA = 100;
const server = useRedis();
const make = useLimiters(server);
const limiter = (config = {}) => make({ redis: server.config, ...config });

afterEach(() => server.command('FLUSHALL'));

/** The names that the server holds, with the milliseconds that each has yet to live. */
async function keysAtServer(): Promise<Map<string, number>> {
  const client = server.client();
  try {
    const names = await client.keysBuffer('*');
    const ttls = await Promise.all(names.map((name) => client.pttl(name)));
    return new Map(names.map((name, index) => [name.toString('latin1'), ttls[index]!]));
  } finally {
    client.disconnect();
  }
}

describe('2,000 checks at once from four processes', () => {
  const PROCESSES = 4;
  const ask = useChildren(PROCESSES);

  test.each(ALGORITHMS)('%s admits exactly its quota', async (algorithm) => {
    const config = {
      redis: server.config,
      windowMs: LONG,
      maxRequests: QUOTA,
      algorithm,
      storeTimeout: PATIENCE,
      onStoreError: 'closed',
      blockCache: 0,
    };
    const answers = await ask({ config, key: 'key', checks: 2000 / PROCESSES });
    expect(answers.map(({ decided }) => decided)).toEqual(Array(PROCESSES).fill(2000 / PROCESSES));
    expect(answers.reduce((sum, { admitted }) => sum + admitted, 0)).toBe(QUOTA);
    // Nobody else has had a part of it, and nothing is left of it.
    expect(await limiter({ algorithm }).peek('key')).toMatchObject({ allowed: false, remaining: 0 });
  });
});

describe('keys', () => {
  const long = 'k'.repeat(100_000);
  const KEYS = [
    'a',
    'A',
    ' ',
    ' a',
    'a ',
    '\u00e9',
    'e\u0301',
    '鍵',
    '🔑',
    '\ud83d',
    '\udd11',
    '\ufffd',
    '\ud83d\ud83d\udd11',
    '\0',
    'a\0',
    '\r\n',
    '*',
    '{a}',
    '{}',
    '}{',
    'a:b',
    'a:b:',
    ':',
    '#a',
    '%s',
    '__proto__',
    '1',
    '1.0',
    long,
    `${long}1`,
    `1${long}`,
    '🔑'.repeat(50),
    `${'🔑'.repeat(50)}1`,
    '\ud83d'.repeat(300),
    '\udd11'.repeat(300),
    '\ufffd'.repeat(300),
  ];

  test('any two are two, of any characters and any length', async () => {
    const one = limiter({ maxRequests: 1 });
    const first = await one.checkMany(KEYS);
    expect(first.map(({ allowed }) => allowed)).toEqual(KEYS.map(() => true));
    const second = await Promise.all(KEYS.map((key) => one.check(key)));
    expect(second.map(({ allowed }) => allowed)).toEqual(KEYS.map(() => false));
  });

  test('at the server each is short, and goes by itself', async () => {
    const windowMs = 60_000;
    for (const algorithm of ALGORITHMS) {
      const all = limiter({ algorithm, windowMs, keyPrefix: `${algorithm}:` });
      await all.checkMany(KEYS);
      await Promise.all(KEYS.map((key) => all.penalty(key, 3)));
      await all.block('blocked', 2 * windowMs);
    }
    const keys = await keysAtServer();
    // The one for blocked keys beside.
    expect(keys.size).toBe(ALGORITHMS.length * (KEYS.length + 1));
    expect(Math.max(...[...keys.keys()].map(({ length }) => length))).toBeLessThan(300);
    expect(Math.min(...keys.values())).toBeGreaterThan(0);
    // The longest that something counts, and some more so that not each write has to prolong it.
    expect(Math.max(...keys.values())).toBeLessThan(3 * windowMs);
  });

  test('reset() leaves nothing of one', async () => {
    const some = limiter({ blockDuration: 60_000, maxRequests: 1 });
    await some.check('a');
    await some.check('a');
    await some.block('b', 60_000);
    await Promise.all(['a', 'b'].map((key) => some.reset(key)));
    expect(await keysAtServer()).toEqual(new Map());
    expect(await some.check('a')).toMatchObject({ allowed: true });
  });
});

describe('a connection', () => {
  /** That of its thread, and one of Node's own by which single checks go. */
  const LINK = 2;

  test('is shared by the limiters of a server', async () => {
    const limiters = ALGORITHMS.map((algorithm) => limiter({ algorithm, keyPrefix: algorithm }));
    await Promise.all(limiters.map((each) => times(50, () => each.check('key'))));
    expect(await connections(server)).toBeLessThanOrEqual(LINK);
    const [last, ...others] = limiters;
    for (const each of others) each.destroy();
    expect(await last!.check('key')).toMatchObject({ allowed: true, source: 'redis' });
    expect(await connections(server)).toBeLessThanOrEqual(LINK);
    last!.destroy();
    await eventually(async () => (await connections(server)) === 0);
  });

  test('is another one for another database', async () => {
    const [one, two] = [0, 1].map((db) => limiter({ maxRequests: 1, redis: { ...server.config, db } }));
    expect(await one!.check('key')).toMatchObject({ allowed: true });
    expect(await two!.check('key')).toMatchObject({ allowed: true });
    expect(await one!.check('key')).toMatchObject({ allowed: false });
    const count = await connections(server);
    expect(count).toBeGreaterThanOrEqual(2);
    expect(count).toBeLessThanOrEqual(2 * LINK);
  });

  test('may be told by a URL', async () => {
    const told = limiter({ redis: `redis://${server.host}:${server.port}/1` });
    expect(await told.check('key')).toMatchObject({ allowed: true, source: 'redis' });
    expect(await server.command('DBSIZE')).toBe(0);
  });

  test('carries the checks of a turn as few calls', async () => {
    const one = limiter({ blockCache: 0, maxRequests: 10_000 });
    await one.check('warm');
    const calls = async () => Number(/calls=(\d+)/.exec(/cmdstat_evalsha:.*/.exec(await stats())![0])![1]);
    const stats = () => server.command('INFO', 'commandstats');
    const before = await calls();
    await times(1000, (n) => one.check(`key ${n}`));
    // 96 checks a call at most, and some beside if the turn took several batches.
    expect((await calls()) - before).toBeLessThan(30);
  });
});
