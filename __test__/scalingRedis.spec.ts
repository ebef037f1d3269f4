import { Redis } from 'ioredis';
import { Scaling, type ScalingOptions } from 'keelson';
import { createClient } from 'redis';
import { Fleet } from '../dist/scaling/fleet';
import { settingsOf } from '../dist/scaling/options';
import { runNode } from './support/process';
import { useProxy } from './support/proxy';
import { connections, useRedis } from './support/redis';
import { eventually } from './support/server';

const server = useRedis();
const proxy = useProxy(server);

/** Milliseconds. A member that a busy machine holds up for three intervals counts as gone, which is no member's fault. */
const INTERVAL = 400;

const members: Scaling[] = [];
const clients: (() => unknown)[] = [];
afterEach(async () => {
  await proxy.pass();
  if (!server.isRunning) await server.start();
  await Promise.all(members.splice(0).map((one) => one.close()));
  for (const close of clients.splice(0)) await close();
  await server.command('FLUSHALL');
});

function make(load: number | (() => number), more: Partial<ScalingOptions> = {}): Scaling {
  const scaling = new Scaling({
    name: 'web',
    capacity: 10,
    target: 0.5,
    max: 1000,
    interval: INTERVAL,
    horizon: 2 * INTERVAL,
    stabilization: 0,
    redis: server.config,
    timeout: 20_000,
    ...more,
  });
  scaling.gauge(typeof load === 'number' ? () => load : load);
  members.push(scaling);
  return scaling;
}

const isOf =
  (load: number, source = 'fleet') =>
  (one: Scaling) => {
    const found = one.recommendation();
    return found?.load === load && found.source === source;
  };

function eventsOf(scaling: Scaling): string[] {
  const events: string[] = [];
  scaling.on('redis-error', (error) => events.push(`redis-error ${error.code}`));
  scaling.on('recovered', (ms) => events.push(`recovered ${typeof ms}`));
  return events;
}

test('all members plan by the sum of their loads, and the same', async () => {
  const fleet = [make(10), make(20), make(30.5)];
  await eventually(() => fleet.every(isOf(60.5)));
  expect(fleet.map((one) => one.metrics().members)).toEqual([3, 3, 3]);
  // By the same interval they say the same to the last digit.
  await eventually(() => {
    const [first, ...others] = fleet.map((one) => JSON.stringify(one.recommendation()));
    return others.every((other) => other === first);
  });
  expect(fleet[0]!.recommendation()).toMatchObject({ replicas: 13, capacity: 10, source: 'fleet' });
});

test('who dies drops out after a while, and who leaves at once', async () => {
  const fleet = [make(10), make(20), make(30)];
  await eventually(() => fleet.every(isOf(60)));
  await fleet[2]!.close();
  const key = 'scale:{web}:members';
  expect(await server.command('ZCARD', key)).toBeLessThanOrEqual(2);
  await eventually(() => fleet.slice(0, 2).every(isOf(30)));
  // It told its load, and is never heard of again.
  const [seconds] = await server.command('TIME');
  await server.command('ZADD', key, String((Number(seconds) + 2) * 1000), 'dead');
  await server.command('HSET', 'scale:{web}:loads', 'dead', '500');
  await eventually(() => isOf(530)(fleet[0]!));
  await eventually(() => fleet.slice(0, 2).every(isOf(30)));
  expect(await server.command('HEXISTS', 'scale:{web}:loads', 'dead')).toBe(0);
});

/** Has the fleet's loads of so many intervals until now be those of a ramp. */
async function remember(count: number): Promise<number> {
  const [seconds] = await server.command('TIME');
  const first = Math.floor((Number(seconds) * 1000) / INTERVAL) - count;
  for (let from = 0; from < count; from += 500) {
    const pairs = Array.from({ length: Math.min(500, count - from) }, (_, n) => {
      const at = String(first + from + n);
      return [at, `${at}:${100 + (from + n) / 10}`];
    });
    await server.command('ZADD', 'scale:{web}:fleet', ...pairs.flat());
  }
  return first;
}

test('all of a history is heard at once, however long it is', async () => {
  const first = await remember(4500);
  const given = { name: 'web', capacity: 1, max: 1, interval: INTERVAL, redis: server.config };
  const settings = settingsOf({ ...given, timeout: 20_000 });
  const fleet = new Fleet(settings.redis!, settings, 5000);
  const { loads, members } = await fleet.exchange(undefined, first + 100);
  expect([members, loads.length]).toEqual([0, 4400]);
  expect(loads).toEqual(loads.map((_, n) => [first + 100 + n, 100 + (100 + n) / 10]));
  fleet.close();
});

test('who starts late has the fleet’s history, and plans as the others do', async () => {
  // As if the fleet was there for long.
  await remember(3000);
  const early = make(200);
  await eventually(() => early.recommendation()?.source === 'fleet');
  expect(early.recommendation()!.isWarm).toBe(true);
  // It has no load of its own yet that anybody heard of.
  const late = make(200);
  await eventually(() => late.recommendation()?.source === 'fleet');
  expect(late.recommendation()!.isWarm).toBe(true);
  await eventually(() => early.metrics().members === 2 && late.metrics().members === 2);
  await eventually(() => {
    const [one, other] = [early, late].map((each) => each.recommendation());
    return one?.at === other?.at && one?.source === 'fleet' && JSON.stringify(one) === JSON.stringify(other);
  });
  // What is too old for any plan is not kept.
  expect(await server.command('ZCARD', 'scale:{web}:fleet')).toBeLessThan(600);
});

test('while Redis is away it is the own load times the members, which it says once; then the fleet’s again', async () => {
  const fleet = [make(10), make(30)];
  const events = fleet.map(eventsOf);
  await eventually(() => fleet.every(isOf(40)));
  await server.kill();
  await eventually(() => isOf(20, 'own')(fleet[0]!) && isOf(60, 'own')(fleet[1]!));
  expect(fleet.map((one) => one.recommendation()!.replicas)).toEqual([4, 12]);
  await eventually(() => fleet.every((one) => Object.values(one.metrics().redisErrors).some((n) => n >= 2)));
  expect(events).toEqual(Array(2).fill(['redis-error ERR_KEELSON_REDIS']));
  expect(fleet[0]!.metrics()).toMatchObject({ connected: false, members: 2, source: 'own' });
  await server.start();
  await eventually(() => fleet.every(isOf(40)));
  expect(events).toEqual(Array(2).fill(['redis-error ERR_KEELSON_REDIS', 'recovered number']));
});

test('a Redis that takes everything and says nothing is away after the timeout', async () => {
  const member = make(10, { redis: { host: proxy.host, port: proxy.port }, timeout: 100 });
  const events = eventsOf(member);
  await eventually(() => isOf(10)(member));
  proxy.swallow();
  await eventually(() => isOf(10, 'own')(member));
  expect(member.metrics().redisErrors.timeout).toBeGreaterThan(0);
  await proxy.pass();
  proxy.cut();
  await eventually(() => isOf(10)(member));
  expect(events[0]).toBe('redis-error ERR_KEELSON_REDIS');
  expect(events.at(-1)).toBe('recovered number');
});

test('services of other names or prefixes are other fleets', async () => {
  const fleet = [make(10), make(20, { name: 'api' }), make(30, { prefix: 'p:' })];
  await eventually(() => isOf(10)(fleet[0]!) && isOf(20)(fleet[1]!) && isOf(30)(fleet[2]!));
});

test('the service’s own client of ioredis or node-redis does as well, and stays open', async () => {
  const io = new Redis(server.config);
  clients.push(() => io.quit());
  const node = createClient({ socket: { host: server.config.host, port: server.config.port } });
  await node.connect();
  clients.push(() => node.close());
  const fleet = [make(10, { redis: io }), make(20, { redis: node }), make(30)];
  await eventually(() => fleet.every(isOf(60)));
  for (const one of fleet) await one.close();
  expect([await io.ping(), await node.ping()]).toEqual(['PONG', 'PONG']);
  expect(await server.command('ZCARD', 'scale:{web}:members')).toBe(0);
});

test('keys end, and connections with close()', async () => {
  const member = make(10);
  await eventually(() => isOf(10)(member));
  for (const part of ['members', 'loads', 'fleet']) {
    expect(await server.command('PTTL', `scale:{web}:${part}`)).toBeGreaterThan(0);
  }
  await member.close();
  await eventually(async () => (await connections(server)) === 0);
});

test('whoever waits for the end of one keeps the process alive, and nothing else does', async () => {
  const source = `
    import { Scaling } from 'keelson';
    const scaling = new Scaling({ name: 'last', capacity: 10, max: 5, interval: 50, redis: ${JSON.stringify(server.config)} });
    scaling.record();
    const hold = setInterval(() => {}, 1000);
    while (!scaling.metrics().connected) await new Promise((resolve) => setTimeout(resolve, 5));
    clearInterval(hold);
    await scaling.close();
    console.log('closed');`;
  const outcome = await runNode(['--input-type=module', '-e', source]);
  expect(outcome).toMatchObject({ code: 0, stdout: 'closed\n', stderr: '' });
});
