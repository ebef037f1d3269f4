import type * as Keelson from 'keelson';
import { evaluate, runNode } from './support/process';

// What the process is kept by lasts for an hour: it would be killed before.
const BREAKER = `
  const { CircuitBreaker } = require('keelson');
  const answer = async (ok) => { if (!ok) throw new Error('down'); return 'answer'; };
  const breaker = (action, options) => new CircuitBreaker(action, { volumeThreshold: 1, resetTimeout: 3600_000, ...options });`;

test('a breaker keeps no process: closed, open, half-open, by force, shut down, or never used', async () => {
  const found = await evaluate(`${BREAKER}
    (async () => {
      const all = Array.from({ length: 6 }, () => breaker(answer));
      const [closed, open, halfOpen, forced, shut] = all;
      await closed.fire(true);
      await open.fire(false).catch(() => {});
      halfOpen.probe();
      forced.forceOpen();
      shut.shutdown();
      console.log(JSON.stringify(all.map(({ state }) => state)));
    })();`);
  expect(found).toEqual(['closed', 'open', 'halfOpen', 'forcedOpen', 'closed', 'closed']);
});

test('a call keeps it until it is answered, or late', async () => {
  const found = await evaluate(`${BREAKER}
    // Nothing else keeps the process for these.
    const slow = () => new Promise((resolve) => setTimeout(resolve, 50, 'answer').unref());
    const never = () => new Promise(() => {});
    const calls = [breaker(slow).fire(), breaker(never, { timeout: 100 }).fire()];
    Promise.allSettled(calls).then((all) =>
      console.log(JSON.stringify(all.map(({ value, reason }) => value ?? reason.code))));`);
  expect(found).toEqual(['answer', 'ERR_KEELSON_TIMEOUT']);
});

test('a call that waits for room keeps it too', async () => {
  const found = await evaluate(`${BREAKER}
    const one = breaker(() => new Promise(() => {}), { timeout: 100, capacity: 1, queue: 1, volumeThreshold: 10 });
    Promise.allSettled([one.fire(), one.fire()]).then((all) =>
      console.log(JSON.stringify(all.map(({ reason }) => reason.code))));`);
  expect(found).toEqual(['ERR_KEELSON_TIMEOUT', 'ERR_KEELSON_TIMEOUT']);
});

test('an action that is never answered keeps nothing once its call is given up', async () => {
  const found = await evaluate(`${BREAKER}
    const one = breaker((context) => new Promise((_, reject) =>
      context.signal.addEventListener('abort', () => reject(context.signal.reason))), { timeout: 20, signal: true });
    one.fire().catch(({ code }) => console.log(JSON.stringify(code)));`);
  expect(found).toBe('ERR_KEELSON_TIMEOUT');
});

test('process.exit() with calls in flight and in line', async () => {
  const outcome = await runNode([
    '-e',
    `${BREAKER}
    const one = breaker(() => new Promise((resolve) => setTimeout(resolve, 1)), { capacity: 8, queue: 1_000 });
    const call = () => one.fire().then(call);
    for (let n = 0; n < 100; n++) call();
    setTimeout(() => process.exit(7), 20);`,
  ]);
  expect(outcome).toEqual({ code: 7, signal: null, stdout: '', stderr: '' });
});

test('workers that are terminated with calls in flight leave the others alone', async () => {
  const found = await evaluate<{ answers: string; used: number }>(`${BREAKER}
    const { Worker } = require('node:worker_threads');
    const source = \`
      const { CircuitBreaker } = require(\${JSON.stringify(require.resolve('keelson'))});
      const { parentPort } = require('node:worker_threads');
      let calls = 0;
      const one = new CircuitBreaker(async () => {
        await new Promise((resolve) => setTimeout(resolve, calls % 3));
        if (++calls === 100) parentPort.postMessage('used');
        if (calls % 2 === 0) throw new Error('down');
      }, { resetTimeout: 0, volumeThreshold: 2, capacity: 16, queue: 100 });
      const call = () => one.fire().catch(() => {}).then(() => setImmediate(call));
      for (let n = 0; n < 32; n++) call();\`;
    const run = (index) => new Promise((resolve, reject) => {
      const worker = new Worker(source, { eval: true });
      let used = 0;
      // Half of them at any moment from their start on, half once they are at work.
      if (index % 2 === 0) setTimeout(() => worker.terminate(), 3 * index);
      worker.on('message', () => { used = 1; worker.terminate(); });
      worker.on('error', reject);
      worker.on('exit', () => resolve(used));
    });
    const lane = async (first) => {
      let used = 0;
      for (let index = first; index < 16; index += 4) used += await run(index);
      return used;
    };
    (async () => {
      const counts = await Promise.all([0, 1, 2, 3].map(lane));
      const used = counts.reduce((sum, count) => sum + count);
      console.log(JSON.stringify({ answers: await breaker(answer).fire(true), used }));
    })();`);
  expect(found.answers).toBe('answer');
  expect(found.used).toBeGreaterThanOrEqual(8);
});

test('a worker whose breaker is open, with nothing in flight, ends by itself', async () => {
  const found = await evaluate(`${BREAKER}
    const { Worker } = require('node:worker_threads');
    const source = \`
      const { CircuitBreaker } = require(\${JSON.stringify(require.resolve('keelson'))});
      const one = new CircuitBreaker(async () => { throw new Error('down'); }, { volumeThreshold: 1 });
      one.fire().catch(() => require('node:worker_threads').parentPort.postMessage(one.state));\`;
    const worker = new Worker(source, { eval: true });
    worker.once('message', (state) => worker.once('exit', (code) => console.log(JSON.stringify([state, code]))));`);
  expect(found).toEqual(['open', 0]);
});

test('two copies of keelson in a process: each has breakers of its own, which take each other as fallback', async () => {
  const load = (): typeof Keelson => {
    jest.resetModules();
    return require('keelson');
  };
  const [first, second] = [load(), load()];
  expect(second.CircuitBreaker).not.toBe(first.CircuitBreaker);
  const down = async (): Promise<string> => {
    throw new Error('down');
  };
  const one = new first.CircuitBreaker(down, { volumeThreshold: 1 });
  const two = new second.CircuitBreaker(async () => 'answer');
  await expect(one.fire()).rejects.toThrow('down');
  await expect(one.fire()).rejects.toBeInstanceOf(first.BreakerOpenError);
  await expect(one.fire()).rejects.toBeInstanceOf(Error);
  expect([one.state, two.state]).toEqual(['open', 'closed']);
  one.fallback(two.wrap());
  expect(await one.fire()).toBe('answer');
  two.restore(one.toJSON());
  expect(two.state).toBe('open');
});
