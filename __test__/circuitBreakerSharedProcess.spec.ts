import { expectOneProbeARound, INTERVAL, RESET } from './support/fleet';
import { type Look, Member } from './support/fleetChildren';
import { evaluate, runNode } from './support/process';
import { useRedis } from './support/redis';
import { eventually } from './support/server';

// Each test starts processes, which may take their time on a busy machine.
jest.setTimeout(120_000);

const server = useRedis();
/** Milliseconds after which who is silent counts as dead. */
const LIFE = 3 * INTERVAL;

let members: Member[] = [];
/** When calls reached the action, of whichever process, and of which. */
let calls: { time: number; member: Member }[] = [];

afterEach(async () => {
  await Promise.all(members.splice(0).map((member) => member.kill()));
  if (!server.isRunning) await server.start();
  await server.command('FLUSHALL');
});

const looks = () => Promise.all(members.map((member) => member.look()));
const all = (condition: (look: Look) => boolean) =>
  eventually(async () => (await looks()).every(condition), 60_000);
const everybody = (isDown: boolean, takes = 0) =>
  Promise.all(members.map((member) => member.dependency({ isDown, takes })));
const pour = (whether: boolean) => Promise.all(members.map((member) => member.pour(whether)));
const times = () => calls.map(({ time }) => time);

/** Three processes that know of each other. */
async function fleet(timeout = 1_000, resetTimeout = RESET): Promise<Member[]> {
  calls = [];
  members = Array.from({ length: 3 }, () => new Member((time, member) => calls.push({ time, member })));
  const shared = { redis: server.config, interval: INTERVAL, timeout };
  const window = { type: 'count' as const, size: 2 };
  await Promise.all(members.map((member) => member.make({ name: 'd', window, resetTimeout, shared })));
  await all(({ fleet }) => fleet.members === 3);
  return members;
}

async function openAll(): Promise<void> {
  await everybody(true);
  for (const member of members.slice(0, 2)) for (let n = 0; n < 2; n++) await member.fire();
  // Who has opened by itself goes by itself until it hears of the others.
  await all(({ fleet }) => ['open', 'halfOpen'].includes(fleet.state));
}

test('two of three processes open the third, which has called nothing', async () => {
  const [, , third] = await fleet(1_000, 3600_000);
  await openAll();
  expect(calls.some(({ member }) => member === third)).toBe(false);
  expect(await third!.fire()).toBe('ERR_KEELSON_BREAKER_OPEN');
  expect(await third!.look()).toMatchObject({ state: 'open', events: ['open'] });
});

test('in each of many rounds one call of all processes is let through', async () => {
  await fleet();
  await openAll();
  calls = [];
  await everybody(true, 10);
  await pour(true);
  await eventually(() => calls.length >= 25, 60_000);
  const failed = times();
  await everybody(false);
  await all(({ state, fleet }) => state === 'closed' && fleet.state === 'closed');
  await pour(false);
  expectOneProbeARound(failed, 25);
});

test('a holder that is killed in the middle of its probe is followed by another once its lease is over', async () => {
  await fleet();
  await openAll();
  for (let round = 0; round < 2; round++) {
    await everybody(true, 60_000);
    calls = [];
    await pour(true);
    await eventually(() => calls.length === 1, 60_000);
    const [first] = calls;
    members = members.filter((member) => member !== first!.member);
    await first!.member.kill();
    await everybody(true);
    await eventually(() => calls.length >= 2, 60_000);
    // It was renewed at the latest when the probe began, and at the earliest an interval before.
    expect(calls[1]!.time - first!.time).toBeGreaterThan(LIFE - 2 * INTERVAL);
    await pour(false);
    await all(({ fleet }) => fleet.members === members.length);
  }
});

test('a holder that stands still lets no probe through any more when it goes on', async () => {
  await fleet();
  await openAll();
  await eventually(async () => (await looks()).some(({ fleet }) => fleet.probing), 60_000);
  const holder = (await looks()).findIndex(({ fleet }) => fleet.probing);
  const stopped = members[holder]!;
  stopped.signal('SIGSTOP');
  members = members.filter((member) => member !== stopped);
  calls = [];
  await pour(true);
  await eventually(() => calls.length >= 3, 60_000);
  // What it is told first when it goes on is to call, before it has heard of anything.
  const fired = stopped.fire();
  stopped.signal('SIGCONT');
  expect(await fired).toBe('ERR_KEELSON_BREAKER_OPEN');
  members.push(stopped);
  await all(({ fleet }) => fleet.members === 3);
  await eventually(() => calls.length >= 6, 60_000);
  expectOneProbeARound(times(), 6);
});

test('without Redis each process goes by itself, and with it they are a fleet again', async () => {
  const [first, second] = await fleet(100);
  await server.kill();
  await all(({ fleet }) => !fleet.connected);
  await first!.dependency({ isDown: true });
  for (let n = 0; n < 2; n++) await first!.fire();
  expect((await looks()).map(({ state }) => state)).toEqual(['open', 'closed', 'closed']);
  expect(await second!.fire()).toBe('answer');
  await eventually(async () => (await first!.look()).state === 'halfOpen');
  expect(await first!.fire()).toBe('down');
  await server.start();
  await all(({ fleet }) => fleet.members === 3);
  for (const { events } of await looks()) {
    expect(events.filter((event) => event.startsWith('re'))).toEqual(['redis-error', 'recovered']);
  }
  await openAll();
  await everybody(false);
  await pour(true);
  await all(({ state }) => state === 'closed');
});

test('FLUSHALL and SCRIPT FLUSH at any moment: one probe a round all the same', async () => {
  await fleet();
  await openAll();
  calls = [];
  await everybody(true, 5);
  await pour(true);
  for (let round = 1; round <= 8; round++) {
    await eventually(() => calls.length >= round, 60_000);
    if (round % 2 === 0) await server.command('FLUSHALL');
    else await server.command('SCRIPT', 'FLUSH');
  }
  await eventually(() => calls.length >= 10, 60_000);
  expectOneProbeARound(times(), 10);
});

test('who shuts down leaves at once', async () => {
  const [first] = await fleet();
  await first!.shutdown();
  // By silence it would take longer than the others take to hear of it.
  const count = async () => (await server.command('ZCARD', 'cb:{d}:members')) as number;
  await eventually(async () => (await count()) === 2);
});

describe('the process', () => {
  /** How it makes a breaker, of whichever `port`. What it waits for lasts longer than the process may. */
  const BREAKER = `
    const { CircuitBreaker } = require('keelson');
    const breaker = (port, options) => new CircuitBreaker(async () => 'answer', {
      name: 'x',
      shared: { redis: { host: '127.0.0.1', port, connectTimeout: 600_000 }, interval: 20, timeout: 600_000, ...options },
    });
    const connected = async (one) => { while (!one.fleet.connected) await new Promise((resolve) => setTimeout(resolve, 1)); };`;
  test('ends though a breaker is a member, has never been one, or waits for a Redis that says nothing', async () => {
    const found = await evaluate(`${BREAKER}
      const hole = require('node:net').createServer((socket) => socket.unref().resume().on('error', () => {})).unref();
      hole.listen(0, '127.0.0.1', async () => {
        const one = breaker(${server.port});
        breaker(1);
        breaker(hole.address().port);
        await connected(one);
        console.log(JSON.stringify(await one.fire()));
      });`);
    expect(found).toBe('answer');
  });

  test('that shuts a breaker down has it leave before it ends', async () => {
    await evaluate(`${BREAKER}
      const one = breaker(${server.port}, { interval: 60_000 });
      connected(one).then(() => {
        one.shutdown();
        console.log('0');
      });`);
    expect(await server.command('EXISTS', 'cb:{x}:members')).toBe(0);
  });

  test('goes on when workers are terminated that are members', async () => {
    const found = await evaluate<{ members: number; used: number }>(`${BREAKER}
      const { Worker } = require('node:worker_threads');
      const source = \`${BREAKER.replaceAll('\\', '\\\\').replace("require('keelson')", '$' + '{"require(" + JSON.stringify(require.resolve("keelson")) + ")"}')}
        const { parentPort } = require('node:worker_threads');
        const one = breaker(${server.port});
        setInterval(() => one.fire(), 1);
        connected(one).then(() => parentPort.postMessage('connected'));\`;
      const run = (index) => new Promise((resolve, reject) => {
        const worker = new Worker(source, { eval: true });
        let used = 0;
        if (index % 2 === 0) setTimeout(() => worker.terminate(), 4 * index);
        worker.on('message', () => { used = 1; worker.terminate(); });
        worker.on('error', reject);
        worker.on('exit', () => resolve(used));
      });
      (async () => {
        const one = breaker(${server.port});
        let used = 0;
        for (let index = 0; index < 24; index += 4) {
          const counts = await Promise.all([0, 1, 2, 3].map((lane) => run(index + lane)));
          used += counts.reduce((sum, count) => sum + count);
        }
        await connected(one);
        while (one.fleet.members > 1) await new Promise((resolve) => setTimeout(resolve, 5));
        console.log(JSON.stringify({ members: one.fleet.members, used }));
      })();`);
    expect(found.members).toBe(1);
    expect(found.used).toBeGreaterThanOrEqual(12);
  });

  test('process.exit() in the middle of syncs', async () => {
    const outcome = await runNode([
      '-e',
      `${BREAKER}
      const all = Array.from({ length: 50 }, () => breaker(${server.port}));
      connected(all[0]).then(() => process.exit(7));`,
    ]);
    expect(outcome).toEqual({ code: 7, signal: null, stdout: '', stderr: '' });
  });
});
