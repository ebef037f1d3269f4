import { evaluateSoon, runNode } from './support/process';
import { SLACK, useRedis } from './support/redis';
import { eventually } from './support/server';
import { TierProcess } from './support/tieredChildren';

// Caches in processes of their own. Each test starts some, which may take their time on a busy machine.
jest.setTimeout(120_000);

const server = useRedis();
const LEASE = 2_000;
let members: TierProcess[] = [];

afterEach(async () => {
  await Promise.all(members.splice(0).map((member) => member.kill()));
  if (!server.isRunning) await server.start();
  await server.command('FLUSHALL');
});

/** Three processes that hear of changes at once. */
async function fleet(more = {}): Promise<[TierProcess, TierProcess, TierProcess]> {
  members = Array.from({ length: 3 }, () => new TierProcess());
  const l3 = { redis: server.config, timeout: 5_000, staleness: 20_000, lease: LEASE, ...more };
  await Promise.all(members.map((member) => member.make(l3)));
  await eventually(async () => (await server.command('PUBSUB', 'NUMSUB', 'cache:{*}'))[1] === 3);
  return members as [TierProcess, TierProcess, TierProcess];
}

const loads = (): string[] => members.flatMap((member) => member.loads);
const everybody = (next: object) => Promise.all(members.map((member) => member.source(next)));
const isHeld = async () => (await server.command('EXISTS', 'cache:{=key}!')) === 1;

test('three processes of 100 callers each: one load, also of a loader that fails', async () => {
  // A lease that a busy machine renews in time.
  await fleet({ lease: 60_000 });
  await everybody({ value: 'value', takes: 300 });
  const all = await Promise.all(members.map((member) => member.read('key', 100)));
  expect(new Set(all.flat())).toEqual(new Set(['value']));
  expect(loads()).toEqual(['key']);

  // So long that all have asked before it fails, however busy the machine is.
  await everybody({ error: 'on purpose', takes: 6_000 });
  const outcomes = await Promise.allSettled(members.map((member) => member.read('bad', 100)));
  const reasons = outcomes.map((outcome) => (outcome as PromiseRejectedResult).reason);
  expect(reasons.sort()).toEqual(['ERR_KEELSON_LOAD', 'ERR_KEELSON_LOAD', 'on purpose']);
  // Two processes have told of them.
  expect(loads().sort()).toEqual(['bad', 'key']);
});

test('changes by one process are heard of in the others at once', async () => {
  const [one, two, three] = await fleet();
  await everybody({ value: 'old' });
  for (const key of ['set', 'deleted', 'tagged'])
    for (const member of members) await member.read(key, 1, [`tag of ${key}`]);
  expect(loads()).toHaveLength(3);
  await everybody({ value: 'new' });
  const began = performance.now();
  await one.set('set', 'new');
  await two.delete('deleted');
  await three.invalidateTag('tag of tagged');
  for (const key of ['set', 'deleted', 'tagged'])
    for (const member of members) await eventually(async () => (await member.read(key))[0] === 'new');
  // By the next look it would have been 20 s.
  expect(performance.now() - began).toBeLessThan(15_000);
});

test('a process that is killed while it loads: another one takes over after the lease, and not before', async () => {
  const [one, two, three] = await fleet();
  await one.source({ value: 'never', takes: 60_000 });
  for (const member of [two, three]) await member.source({ value: 'value' });
  void one.read('key');
  await eventually(() => one.loads.length === 1);
  const others = Promise.all([two.read('key', 50), three.read('key', 50)]);
  await one.kill();
  const killed = performance.now();
  const left = Number(await server.command('PTTL', 'cache:{=key}!'));
  // It was renewed thrice in its time.
  expect(left).toBeGreaterThan(LEASE / 2 - SLACK / 2);
  await eventually(() => two.loads.length + three.loads.length > 0);
  expect(performance.now() - killed).toBeGreaterThan(left - 5);
  expect(new Set((await others).flat())).toEqual(new Set(['value']));
  expect(performance.now() - killed).toBeLessThan(LEASE + 1_000 + SLACK);
  expect(two.loads.length + three.loads.length).toBe(1);
});

test('a process that stands still while it loads: what it brings late is stored nowhere', async () => {
  const [one, two, three] = await fleet();
  await one.source({ value: 'old', takes: 500 });
  for (const member of [two, three]) await member.source({ value: 'new' });
  const late = one.read('key');
  await eventually(() => one.loads.length === 1);
  one.signal('SIGSTOP');
  await eventually(async () => !(await isHeld()), 20_000);
  expect(await two.read('key')).toEqual(['new']);
  one.signal('SIGCONT');
  expect(await late).toEqual(['old']);
  expect(await one.get('key')).toBe('new');
  expect(await three.get('key')).toBe('new');
});

test('a load that takes longer than its lease keeps it', async () => {
  await fleet({ lease: 500 });
  await everybody({ value: 'value', takes: 2_000 });
  const all = await Promise.all(members.map((member) => member.read('key', 10)));
  expect(new Set(all.flat())).toEqual(new Set(['value']));
  expect(loads()).toEqual(['key']);
});

test('Redis is killed: each process loads for itself, and they are one again afterwards', async () => {
  const [one, two] = await fleet({ timeout: 500, staleness: 500 });
  await everybody({ value: 'old' });
  for (const member of members) await member.read('key');
  await server.kill();
  await eventually(
    async () => !(await Promise.all(members.map((m) => m.look()))).some((l) => l.redis!.connected),
  );
  const before = loads().length;
  expect((await Promise.all(members.map((member) => member.read('alone', 20)))).flat()).toHaveLength(60);
  expect(loads().length - before).toBe(3);
  await everybody({ value: 'new' });
  await one.delete('key');
  expect(await two.read('key')).toEqual(['old']);
  await server.start();
  await eventually(async () =>
    (await Promise.all(members.map((m) => m.look()))).every((l) => l.redis!.connected),
  );
  for (const member of members) await eventually(async () => (await member.read('key'))[0] === 'new');
  for (const member of members) expect((await member.look()).events).toEqual(['redis-error', 'recovered']);
});

describe('the end of a process', () => {
  const CACHE = `
    const { BoundedLRUCache, SharedCache, TieredCache } = require('keelson');
    const cache = (port, more) => new TieredCache({
      l1: new BoundedLRUCache({ maxSize: 100 }), l2: new SharedCache({ name: 'l2' }),
      l3: { redis: { host: '127.0.0.1', port }, timeout: 500, ...more },
    });`;
  const HOLE = `
    const hole = require('node:net').createServer((socket) => socket.unref().resume().on('error', () => {})).unref();
    const port = await new Promise((resolve) => hole.listen(0, '127.0.0.1', () => resolve(hole.address().port)));`;

  const evaluated = <T>(source: string) => evaluateSoon<T>(`${CACHE} (async () => { ${source} })();`);
  const PORTS: [string, () => string][] = [
    ['Redis', () => `const port = ${server.port};`],
    ['a server that is down', () => 'const port = 1;'],
    ['a black hole', () => HOLE],
  ];

  test.each(PORTS)('%s: an open cache that nobody asks lets it end', async (_, port) => {
    expect(await evaluated(`${port()} cache(port); console.log(1);`)).toBe(1);
  });

  test.each(PORTS)('%s: what is awaited is answered, then it ends, closed or not', async (_, port) => {
    for (const close of ['', 'await one.close();']) {
      const found = await evaluated(`${port()}
        const one = cache(port);
        const nothing = await one.get('key');
        await one.set('set', 1);
        const all = await Promise.all(Array.from({ length: 100 }, (_, n) => one.getOrLoad('key ' + n % 10, () => n)));
        await one.invalidateTag('tag');
        ${close}
        console.log(JSON.stringify([nothing === undefined, all.length]));`);
      expect(found).toEqual([true, 100]);
    }
  });

  test('over a client of the service’s: it ends once that is closed', async () => {
    const found = await evaluated(`
      const { Redis } = require('ioredis');
      const redis = new Redis(${server.port}, '127.0.0.1');
      const one = cache(0, { redis });
      await one.set('key', 1);
      console.log(JSON.stringify(await one.get('key')));
      redis.disconnect();`);
    expect(found).toBe(1);
  });

  test.each(PORTS)('%s: process.exit() in the midst of everything', async (_, port) => {
    const source = `${CACHE} (async () => {
      ${port()}
      const one = cache(port);
      const call = () => one.getOrLoad('key ' + Math.random(), () => 1).then(() => setImmediate(call));
      for (let n = 0; n < 100; n++) call();
      const change = () => one.set('key ' + Math.random(), 1).then(() => setImmediate(change));
      change();
      await new Promise((resolve) => setTimeout(resolve, 100));
      process.exit(7);
    })();`;
    const outcome = await runNode(['-e', source]);
    expect(outcome).toEqual({ code: 7, signal: null, stdout: '', stderr: '' });
  });
});
