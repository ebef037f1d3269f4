import { Load } from './support/limiterLoad';
import { PATIENCE, SLACK, storeEvents, times, useLimiters, useRedis } from './support/redis';
import { eventually } from './support/server';

// What is done to a server while a limiter is asked without pause.

const QUOTA = 100;
const MANY = 1_000_000;
/** One check at a time takes a way of its own. */
const CALLERS = [1, 32];
const KEYS = Array.from({ length: 10 }, (_, n) => `key ${n}`);
/** Connections that live short are replaced after waits that grow: this takes a second or two. */
const KILLS = 6;
/** Attempts to connect follow quickly. */
const QUICK = { backoffMin: 5, backoffMax: 50 };

const server = useRedis();
const make = useLimiters(server);
const limiter = (config = {}) => make({ redis: server.config, breaker: QUICK, blockCache: 0, ...config });

afterEach(async () => {
  if (!server.isRunning) await server.start();
  await server.command('FLUSHALL');
});

/** The units that the server has counted for some keys. */
async function counted(load: Load): Promise<number> {
  const states = await Promise.all(load.keys.map((key) => load.limiter.peek(key)));
  return states.reduce((sum, { limit, remaining }) => sum + limit - remaining, 0);
}

test.each(CALLERS)(
  'scripts forgotten by the server, %i callers: nobody notices, and nothing is counted twice',
  async (callers) => {
    const one = limiter({ maxRequests: MANY });
    const events = storeEvents(one);
    const load = new Load(one, KEYS);
    const stop = load.keepAsking(callers);
    for (let round = 0; round < 20; round++) {
      await load.next(callers, 'redis');
      await server.command('SCRIPT', 'FLUSH');
    }
    await stop();
    load.expectAnswered(PATIENCE);
    expect(load.sources).toEqual(['redis']);
    expect(load.admitted()).toBe(load.asked);
    expect(await counted(load)).toBe(load.asked);
    expect(events).toEqual([]);
  },
);

test('data forgotten by the server: as many as the quota may pass again, and no more', async () => {
  const load = new Load(limiter({ maxRequests: QUOTA }));
  await times(3 * QUOTA, () => load.ask());
  expect(load.admitted()).toBe(QUOTA);
  await server.command('FLUSHALL');
  await times(3 * QUOTA, () => load.ask());
  expect(load.admitted()).toBe(2 * QUOTA);
  load.expectAnswered(PATIENCE);
  expect(load.sources).toEqual(['redis']);
});

test.each(CALLERS)(
  'data forgotten under load, %i callers: as many as the quota pass for each time',
  async (callers) => {
    const load = new Load(limiter({ maxRequests: QUOTA }));
    const stop = load.keepAsking(callers);
    const FLUSHES = 5;
    for (let round = 1; round <= FLUSHES; round++) {
      await eventually(() => load.admitted() === round * QUOTA);
      await load.next(callers, 'redis');
      expect(load.admitted()).toBe(round * QUOTA);
      if (round < FLUSHES) await server.command('FLUSHALL');
    }
    await stop();
    load.expectAnswered(PATIENCE);
    expect(load.admitted()).toBe(FLUSHES * QUOTA);
  },
);

test.each(CALLERS)(
  'connections killed, %i callers: nothing is admitted that was not counted, and little counts that was not admitted',
  async (callers) => {
    const one = limiter({ maxRequests: MANY, localShare: 0.000_01 });
    const load = new Load(one, KEYS);
    const stop = load.keepAsking(callers);
    for (let round = 0; round < KILLS; round++) {
      await load.next(callers, 'redis');
      await server.command('CLIENT', 'KILL', 'TYPE', 'normal');
    }
    await load.next(callers, 'redis');
    await stop();
    load.expectAnswered(PATIENCE + SLACK);
    const unanswered = load.asked - load.from('redis').length;
    const total = await counted(load);
    expect(total).toBeGreaterThanOrEqual(load.admitted('redis'));
    // What was under way when the connection broke may have been counted, once.
    expect(total).toBeLessThanOrEqual(load.admitted('redis') + unanswered);
  },
);

test.each(CALLERS)('connections killed, %i callers: the quota holds', async (callers) => {
  const load = new Load(limiter({ maxRequests: QUOTA }));
  const stop = load.keepAsking(callers);
  for (let round = 0; round < KILLS; round++) {
    await load.next(3, 'redis');
    await server.command('CLIENT', 'KILL', 'TYPE', 'normal');
  }
  await load.next(QUOTA, 'redis');
  await stop();
  load.expectAnswered(PATIENCE + SLACK);
  // With 'closed' nobody else admits.
  expect(load.admitted()).toBeLessThanOrEqual(QUOTA);
});

describe('a server that is restarted, without its data', () => {
  const TIMEOUT = 100;

  test.each([
    ['stop', 1],
    ['stop', 32],
    ['kill', 1],
    ['kill', 32],
  ] as const)(
    '%s, %i callers: the local limiter decides meanwhile, each within its quota',
    async (end, callers) => {
      const one = limiter({
        maxRequests: QUOTA,
        storeTimeout: TIMEOUT,
        onStoreError: 'local',
        localShare: 0.5,
      });
      const events = storeEvents(one);
      const load = new Load(one);
      await times(2 * QUOTA, () => load.ask());
      const stop = load.keepAsking(callers);
      await server[end]();
      await load.next(2 * QUOTA, 'local');
      await server.start();
      await load.next(2 * QUOTA, 'redis');
      await stop();
      load.expectAnswered(TIMEOUT + SLACK);
      expect(load.sources).toEqual(['local', 'redis']);
      expect(load.admitted('local')).toBeLessThanOrEqual(QUOTA / 2);
      expect(load.admitted('local')).toBeGreaterThan(0);
      // Before it was restarted, and after.
      expect(load.admitted('redis')).toBeLessThanOrEqual(2 * QUOTA);
      expect(load.admitted('redis')).toBeGreaterThanOrEqual(QUOTA);
      expect(events).toContain('redis-error');
      expect(events.at(-1)).toBe('recovered');
      expect(events.filter((event) => event === 'recovered').length).toBeLessThanOrEqual(2);
    },
  );

  test.each([
    ['open', true],
    ['closed', false],
  ] as const)('onStoreError %s: allowed is %s while it is down', async (onStoreError, allowed) => {
    const one = limiter({ maxRequests: QUOTA, storeTimeout: TIMEOUT, onStoreError });
    const load = new Load(one);
    await load.ask();
    await server.stop();
    const stop = load.keepAsking(8);
    await load.next(5 * QUOTA, onStoreError);
    await server.start();
    await load.next(1, 'redis');
    await stop();
    load.expectAnswered(TIMEOUT + SLACK);
    expect(load.from(onStoreError).every((decision) => decision.allowed === allowed)).toBe(true);
    expect(load.admitted('redis')).toBeLessThanOrEqual(1 + QUOTA);
  });
});

test('a server that comes later: decisions are local until then, and it is told once', async () => {
  await server.stop();
  const TIMEOUT = 100;
  const one = limiter({ maxRequests: QUOTA, storeTimeout: TIMEOUT, onStoreError: 'local' });
  const events = storeEvents(one);
  const load = new Load(one);
  const stop = load.keepAsking(4);
  await load.next(3 * QUOTA, 'local');
  expect(load.admitted()).toBe(QUOTA);
  expect(events).toContain('redis-error');
  expect(events).not.toContain('recovered');
  await server.start();
  await load.next(3 * QUOTA, 'redis');
  await stop();
  load.expectAnswered(TIMEOUT + SLACK);
  expect(load.admitted('redis')).toBe(QUOTA);
  expect(events.filter((event) => event === 'recovered')).toHaveLength(1);
  expect(events.at(-1)).toBe('recovered');
});

test('a server that is out of memory says so, and the limiter goes on', async () => {
  const one = limiter({ maxRequests: QUOTA, onStoreError: 'local' });
  const errors: Error[] = [];
  one.on('redis-error', (error) => errors.push(error));
  const load = new Load(one);
  await load.ask();
  await server.command('CONFIG', 'SET', 'maxmemory', '1');
  try {
    const stop = load.keepAsking(8);
    await load.next(QUOTA, 'local');
    await server.command('CONFIG', 'SET', 'maxmemory', '0');
    await load.next(QUOTA, 'redis');
    await stop();
  } finally {
    await server.command('CONFIG', 'SET', 'maxmemory', '0');
  }
  load.expectAnswered(SLACK);
  expect(String(errors[0]) + String(errors[0]!.cause)).toMatch(/OOM|memory/);
});

test('a key that something else has written is no error', async () => {
  const one = limiter({ maxRequests: 1 });
  await one.check('key');
  const [name] = await server.command('KEYS', '*');
  for (const command of [
    ['SET', name, 'rubbish'],
    ['HSET', name, 'a', 'b'],
    ['RPUSH', name, 'x', 'y'],
    ['SADD', name, 'z'],
  ] as const) {
    await server.command('DEL', name);
    await (server.command as (...args: readonly string[]) => Promise<any>)(...command);
    expect(await one.check('key')).toMatchObject({ allowed: true, source: 'redis' });
    expect(await one.check('key')).toMatchObject({ allowed: false, source: 'redis' });
  }
});

/** Turns of the event loop while a limiter denies so many checks, each of which begins when the one before is answered. */
async function turnsDuring(checks: number, one: ReturnType<typeof limiter>): Promise<number> {
  let turns = 0;
  const again = (): void => {
    turns++;
    next = setImmediate(again);
  };
  let next = setImmediate(again);
  for (let asked = 0; asked < checks; asked++) expect((await one.check('key')).allowed).toBe(false);
  clearImmediate(next);
  return turns;
}

test('a sorted set that something else has written holds no permits', async () => {
  const one = limiter({ maxRequests: 1, algorithm: 'concurrency' });
  const { lease } = await one.check('key');
  const [name] = await server.command('KEYS', '*');
  await lease!.release();
  const inAnHour = Date.now() * 1000 + 3600e6;
  await server.command('ZADD', name, '1', 'past', String(inAnHour), 'to come');
  expect(await one.check('key')).toMatchObject({ allowed: true, source: 'redis' });
  expect(await one.check('key')).toMatchObject({ allowed: false, source: 'redis' });
});

test.each(['local', 'closed'] as const)(
  'who asks in a loop while Redis is away, %s, lets others go on',
  async (source) => {
    await server.stop();
    const one = limiter({ maxRequests: 1, onStoreError: source });
    while ((await one.check('key')).source !== source);
    await one.check('key');
    expect(await turnsDuring(20_000, one)).toBeGreaterThan(10);
  },
);

test('who asks in a loop until a denial is over lets others go on', async () => {
  const one = limiter({ maxRequests: 1, windowMs: 60_000, blockCache: 60_000 });
  await one.check('key');
  await one.check('key');
  expect(await turnsDuring(20_000, one)).toBeGreaterThan(10);
});
