import { Load } from './support/limiterLoad';
import { useProxy } from './support/proxy';
import { PATIENCE, SLACK, storeEvents, times, useLimiters, useRedis } from './support/redis';
import { eventually, useServer } from './support/server';
import { createRedisReplica, createRedisSentinels, type RedisServer } from './support/servers';

// One server takes the place of another, as a name in DNS or sentinels tell.

const QUOTA = 100;
/** One check at a time takes a way of its own. */
const CALLERS = [1, 16];
const TIMEOUT = 200;
const QUICK = { backoffMin: 5, backoffMax: 50 };
const LIMITS = {
  maxRequests: QUOTA,
  storeTimeout: TIMEOUT,
  onStoreError: 'local',
  breaker: QUICK,
  blockCache: 0,
} as const;

const make = useLimiters();

/** Resolves once all that a master was told is at its replica too. */
async function expectReplicated(master: RedisServer): Promise<void> {
  await eventually(async () => {
    const info: string = await master.command('INFO', 'replication');
    const offset = /master_repl_offset:(\d+)/.exec(info)![1];
    return info.includes(`offset=${offset},`);
  });
}

/** Whether a server is a replica. One that becomes one closes its connections, that of who asks as well. */
const isReplica = (server: RedisServer): Promise<boolean> =>
  server.command('ROLE').then(
    ([role]) => role === 'slave',
    () => false,
  );

describe('a replica that is promoted', () => {
  const first = useRedis();
  const second = useServer(createRedisReplica(first));
  /** What clients are told to connect to. */
  const target: { host: string; port: number } = { host: '127.0.0.1', port: 0 };
  const proxy = useProxy(target);
  beforeAll(() => {
    target.port = first.port;
  });

  /** Makes the replica the master, and clients that connect from now on find it. */
  async function promote(replica: RedisServer, master: RedisServer): Promise<void> {
    await replica.command('REPLICAOF', 'NO', 'ONE');
    await master.command('REPLICAOF', replica.host, replica.port);
    target.port = replica.port;
  }

  test.each(CALLERS)(
    'the old master refuses to write: the new one is asked, and knows what was admitted; %i callers',
    async (callers) => {
      const [master, replica] = (await isReplica(first)) ? [second, first] : [first, second];
      const key = `${callers} callers`;
      const one = make({ redis: { host: proxy.host, port: proxy.port }, ...LIMITS });
      const events = storeEvents(one);
      const load = new Load(one, [key]);
      await times(QUOTA / 2, () => load.ask());
      await expectReplicated(master);
      const stop = load.keepAsking(callers);
      await promote(replica, master);
      const moment = performance.now();
      await eventually(() => load.since(moment).some(({ source }) => source === 'redis'));
      await load.next(2 * QUOTA, 'redis');
      await stop();
      load.expectAnswered(TIMEOUT + SLACK);
      // Between the last replication and the promotion something may have been admitted that the new master never heard of.
      expect(load.admitted('redis')).toBeLessThanOrEqual(2 * QUOTA);
      expect(load.admitted('local')).toBeLessThanOrEqual(QUOTA);
      expect(events.at(-1) ?? 'recovered').toBe('recovered');
      expect(await one.peek(key)).toMatchObject({ allowed: false, remaining: 0 });
      expect(await isReplica(master)).toBe(true);
      await eventually(async () => (await replica.command('INFO', 'replication')).includes('state=online'));
    },
  );
});

describe('sentinels', () => {
  const sentinels = useServer(createRedisSentinels());

  test.each(CALLERS)(
    'a master that dies under load of %i callers: its replica is asked within seconds, and decisions stay quick',
    async (callers) => {
      await eventually(() => sentinels.isReady(), 60_000);
      const one = make({ redis: sentinels.config, ...LIMITS });
      const events = storeEvents(one);
      const load = new Load(one, [`a ${callers}`, `b ${callers}`, `c ${callers}`]);
      await load.ask();
      expect(load.sources).toEqual(['redis']);
      const stop = load.keepAsking(callers);
      await load.next(5 * QUOTA, 'redis');
      const old = await sentinels.master();
      await expectReplicated(old);
      await old.kill();
      await load.next(QUOTA, 'local');
      await eventually(async () => (await sentinels.master()) !== old);
      await load.next(5 * QUOTA, 'redis');
      // The old one comes back, as a replica of the new one: nothing is asked of it.
      await old.start();
      await eventually(() => isReplica(old));
      await load.next(QUOTA, 'redis');
      await stop();
      load.expectAnswered(TIMEOUT + SLACK);
      expect(load.sources).toEqual(['local', 'redis']);
      // All that was admitted had reached the replica, each key was spent.
      expect(load.admitted('redis')).toBe(3 * QUOTA);
      expect(load.admitted('local')).toBeLessThanOrEqual(3 * QUOTA);
      expect(events).toContain('redis-error');
      expect(events.at(-1)).toBe('recovered');
    },
  );

  test.each(CALLERS)('a failover that is asked for loses nothing; %i callers', async (callers) => {
    await eventually(() => sentinels.isReady(), 60_000);
    const old = await sentinels.master();
    const one = make({ redis: sentinels.config, ...LIMITS, onStoreError: 'closed' });
    const load = new Load(one, [`d ${callers}`, `e ${callers}`]);
    const stop = load.keepAsking(callers);
    await load.next(4 * QUOTA, 'redis');
    await expectReplicated(old);
    await sentinels.failOver();
    await eventually(async () => (await sentinels.master()) !== old);
    await load.next(4 * QUOTA, 'redis');
    await stop();
    load.expectAnswered(TIMEOUT + SLACK);
    expect(load.admitted()).toBe(2 * QUOTA);
  });

  test('one sentinel of three is enough to begin with', async () => {
    const [, ...others] = sentinels.sentinels;
    await Promise.all(others.map((sentinel) => sentinel.stop()));
    const one = make({ redis: sentinels.config, ...LIMITS, storeTimeout: PATIENCE, onStoreError: 'closed' });
    const result = await one.check('another');
    await Promise.all(others.map((sentinel) => sentinel.start()));
    expect(result).toMatchObject({ allowed: true, source: 'redis' });
  });
});
