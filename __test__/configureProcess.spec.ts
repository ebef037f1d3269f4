import { join } from 'node:path';
import { evaluate, root, runNode } from './support/process';
import { useCleanSettings } from './support/settings';

// Processes get what this one has: nothing of what the tests themselves run with.
useCleanSettings();

const timers = (env: Record<string, string>) =>
  runNode(['-e', `const { timerManager } = require('keelson'); ${OVER_THE_LIMIT}`], {
    env,
  });
const OVER_THE_LIMIT = `
  const refusals = [];
  for (let i = 0; i < 4; i++) {
    try { timerManager.setTimeout(() => {}, 1); } catch ({ code }) { refusals.push(code); }
  }
  console.log(JSON.stringify(refusals));`;

describe('what is there from the import on', () => {
  test('reads no variable at import', async () => {
    const source = `
      const read = [];
      process.env = new Proxy(process.env, { get: (target, name) => (read.push(name), target[name]) });
      const ours = () => read.filter((name) => /KEELSON|NODE_ENV/.test(String(name)));
      const { lifecycle } = require('keelson');
      const atImport = ours();
      lifecycle.register('a', { stop: () => {} });
      console.log(JSON.stringify([atImport, ours().includes('KEELSON_LIFECYCLE_TIMEOUT')]));`;
    expect(await evaluate(source, { env: { KEELSON_TIMER_MAX_TIMERS: 'none' } })).toEqual([[], true]);
  });

  test('the shared timer manager takes its limit when it is first used', async () => {
    const { stdout } = await timers({ KEELSON_TIMER_MAX_TIMERS: '2', KEELSON_TIMER_ON_LIMIT: 'throw' });
    expect(JSON.parse(stdout)).toEqual(['ERR_KEELSON_TIMER_LIMIT', 'ERR_KEELSON_TIMER_LIMIT']);
  });

  test('and refuses its first timer where a variable is wrong', async () => {
    const { stdout } = await timers({ KEELSON_TIMER_MAX_TIMERS: 'two' });
    expect(JSON.parse(stdout)).toEqual(Array(4).fill('ERR_KEELSON_CONFIGURATION'));
  });

  test('it stays destroyed, though it was never used', async () => {
    const source = `
      const { timerManager } = require('keelson');
      timerManager.destroy();
      timerManager.list();
      try { timerManager.every(() => {}, 1); } catch {}
      ${OVER_THE_LIMIT}`;
    expect(await evaluate(source)).toEqual(Array(4).fill('ERR_KEELSON_DESTROYED'));
  });

  test('the shared lifecycle and JSON pool are as configure() says', async () => {
    const source = `
      const { configure, lifecycle, getJsonWorkerPool, destroyJsonWorkerPool } = require('keelson');
      configure({ profile: 'production', lifecycle: { timeout: 200 }, json: { maxWorkers: 3 } });
      lifecycle.register('a', { stop: () => {} });
      const began = performance.now();
      lifecycle.shutdown().then(async () => {
        const workers = getJsonWorkerPool().getStats();
        await destroyJsonWorkerPool();
        console.log(JSON.stringify({ waited: performance.now() - began >= 95, workers }));
      });`;
    expect(await evaluate(source)).toMatchObject({
      waited: true,
      workers: { activeWorkers: 3 },
    });
  });
});

test('variables are what utilities go by', async () => {
  const source = `
    const { ConnectionPool, CircuitBreaker, BoundedLRUCache, WorkerAsyncLogger } = require('keelson');
    (async () => {
      const pool = new ConnectionPool({ create: () => new Promise(() => {}) });
      const late = await pool.acquire().catch((error) => error);
      const breaker = new CircuitBreaker(() => new Promise(() => {}));
      const slow = await breaker.fire().catch((error) => error);
      const cache = new BoundedLRUCache(5);
      cache.set('a', 1);
      await new Promise((resolve) => setTimeout(resolve, 40));
      const logger = new WorkerAsyncLogger({ destinations: [{ stream: 'stderr' }] });
      logger.info('not told');
      logger.error('told');
      await logger.destroy();
      console.log(JSON.stringify([late.timeout, slow.timeout, cache.get('a') === undefined]));
      await pool.close({ timeout: 1 });
    })();`;
  const { stdout, stderr } = await runNode(['-e', source], {
    env: {
      KEELSON_POOL_ACQUIRE_TIMEOUT: '30ms',
      KEELSON_BREAKER_TIMEOUT: '0.04s',
      KEELSON_CACHE_TTL: '20',
      KEELSON_LOG_LEVEL: 'warn',
    },
  });
  expect(JSON.parse(stdout)).toEqual([30, 40, true]);
  expect(stderr).toContain('"told"');
  expect(stderr).not.toContain('not told');
});

describe('worker threads', () => {
  const WORKER = JSON.stringify(join(root, '__test__', 'support', 'configuredWorker.js'));

  test('have what was configured where they were started, and keep what they configure to themselves and theirs', async () => {
    const source = `
      const { configuration, configure } = require('keelson');
      const { ask } = require(${WORKER});
      const max = () => configuration().find(({ path }) => path === 'pool.max');
      (async () => {
        const before = ask({});
        const first = await before.answer();
        configure({ profile: 'production', pool: { max: 3 } });
        const after = ask({});
        const own = ask({ configure: { pool: { max: 9 } } });
        const found = [first, await before.answer(), await after.answer(), await own.answer()];
        const inside = await own.nested();
        console.log(JSON.stringify({ found, inside, main: [max().value, max().source] }));
        for (const worker of [before, after, own]) worker.end();
      })();`;
    expect(await evaluate(source)).toEqual({
      found: [
        [null, 10, 'default'],
        [null, 10, 'default'],
        ['production', 3, 'configure'],
        [null, 9, 'configure'],
      ],
      inside: [null, 9, 'configure'],
      main: [3, 'configure'],
    });
  });

  test('another copy of keelson in one thread has its own', async () => {
    const inside = `
      const max = ({ configuration }) => configuration().find(({ path }) => path === 'pool.max').value;
      const one = require('keelson');
      one.configure({ pool: { max: 4 } });
      for (const name of Object.keys(require.cache)) if (name.endsWith('.js')) delete require.cache[name];
      require('node:worker_threads').parentPort.postMessage([max(one), max(require('keelson'))]);`;
    const source = `
      const { Worker } = require('node:worker_threads');
      const worker = new Worker(${JSON.stringify(inside)}, { eval: true });
      worker.on('message', (found) => console.log(JSON.stringify(found)));`;
    expect(await evaluate(source)).toEqual([4, 10]);
  });
});

test('configure() warns once of each variable that it does not know, and only says so', async () => {
  const source = `
    const { configure } = require('keelson');
    const warnings = [];
    process.on('warning', ({ name, message }) => warnings.push([name, message]));
    configure();
    configure();
    setImmediate(() => console.log(JSON.stringify(warnings)));`;
  const { stdout } = await runNode(['-e', source], {
    env: { KEELSON_POOL_ACQUIRE_TIMEUOT: '5', KEELSON_WHATEVER_ELSE: 'secret' },
  });
  expect(JSON.parse(stdout)).toEqual([
    [
      'KeelsonWarning',
      'KEELSON_POOL_ACQUIRE_TIMEUOT is not known to keelson and has no effect; did you mean KEELSON_POOL_ACQUIRE_TIMEOUT?',
    ],
    ['KeelsonWarning', 'KEELSON_WHATEVER_ELSE is not known to keelson and has no effect'],
  ]);
});
