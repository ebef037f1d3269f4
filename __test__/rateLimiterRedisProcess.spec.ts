import { evaluateSoon, runNode } from './support/process';
import { useRedis } from './support/redis';
import { freePort } from './support/servers';

// Each test starts processes, which may take their time on a busy machine.
jest.setTimeout(60_000);

const server = useRedis();

/** How a process that a test starts makes a limiter: of `port`, with other options. */
const LIMITER = `
  const { DistributedRateLimiter } = require('keelson');
  const limiter = (port, config) => new DistributedRateLimiter({
    redis: { host: '127.0.0.1', port }, windowMs: 3600_000, maxRequests: 1e6, storeTimeout: 500, onStoreError: 'local', ...config,
  });`;

/** A server that takes connections and says nothing, in the process itself. */
const HOLE = `
  const hole = require('node:net').createServer((socket) => socket.unref().resume().on('error', () => {})).unref();
  const listening = new Promise((resolve) => hole.listen(0, '127.0.0.1', () => resolve(hole.address().port)));`;

test('a limiter that is connected and asked for nothing lets the process end', async () => {
  const found = await evaluateSoon(`${LIMITER}
    limiter(${server.port}).check('key').then(({ source }) => console.log(JSON.stringify(source)));`);
  expect(found).toBe('redis');
});

test('one that was never asked lets it end, whether there is a server or not', async () => {
  const port = await freePort();
  await evaluateSoon(`${LIMITER}
    limiter(${server.port});
    limiter(${port});
    console.log('0');`);
});

test('a check that is under way keeps the process until it is answered', async () => {
  const found = await evaluateSoon(`${LIMITER}
    const one = limiter(${server.port});
    const results = Promise.all(Array.from({ length: 500 }, (_, n) => one.check('key ' + n)));
    results.then((all) => console.log(JSON.stringify(all.filter(({ source }) => source === 'redis').length)));`);
  expect(found).toBe(500);
});

test.each([
  ['a server that is down', 'const port = 1;'],
  ['a black hole', `${HOLE} const port = await listening;`],
])(
  '%s: each check is answered, then the process ends though the limiter goes on trying',
  async (_, prepare) => {
    const found = await evaluateSoon(`${LIMITER}
    (async () => {
      ${prepare}
      const one = limiter(port);
      const all = await Promise.all(Array.from({ length: 100 }, () => one.check('key')));
      console.log(JSON.stringify([...new Set(all.map(({ source }) => source))]));
    })();`);
    expect(found).toEqual(['local']);
  },
);

test('destroyed limiters leave nothing open', async () => {
  const found = await evaluateSoon(`${LIMITER}
    ${HOLE}
    (async () => {
      const hollow = await listening;
      // But for the timer that this is asked after, and what Node opens to print to.
      const others = ['Timeout', 'PipeWrap'];
      const open = () => process.getActiveResourcesInfo().filter((name) => !others.includes(name)).length;
      const before = open();
      const limiters = [${server.port}, 1, hollow].map((port) => limiter(port));
      await Promise.all(limiters.map((one) => one.check('key')));
      for (const one of limiters) one.destroy();
      const isLeft = () => open() > before;
      // An attempt to connect that was given up takes a moment to be over.
      while (isLeft()) await new Promise((resolve) => setTimeout(resolve, 5));
      console.log(JSON.stringify(isLeft()));
    })();`);
  expect(found).toBe(false);
});

test('destroyed limiters leave no memory behind, each with a link of its own', async () => {
  const source = `${LIMITER}
    const round = async (connectTimeout) => {
      const redis = { host: '127.0.0.1', port: ${server.port}, connectTimeout };
      const one = limiter(0, { redis });
      await Promise.all(['a', 'b', 'c'].map((key) => one.check(key)));
      one.destroy();
    };
    let links = 0;
    const held = async () => {
      for (let i = 0; i < 100; i++) await round(1000 + links++);
      for (let i = 0; i < 10; i++) {
        global.gc();
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      return process.memoryUsage().arrayBuffers / links;
    };
    (async () => {
      await held();
      await held();
      console.log(JSON.stringify(await held()));
    })();`;
  const { code, stdout, stderr } = await runNode(['--expose-gc', '-e', source]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  // A link has 85 KB of arrays, of which the latest few may not be collected yet.
  expect(JSON.parse(stdout)).toBeLessThan(20_000);
});

test.each([
  ['Redis', (port: number) => `const port = ${port};`],
  ['a server that is down', () => 'const port = 1;'],
  ['a black hole', () => `${HOLE} const port = await listening;`],
])('process.exit() with checks under way: %s', async (_, prepare) => {
  for (const moment of [
    '',
    'await new Promise((resolve) => setImmediate(resolve));',
    "await one.check('key');",
  ]) {
    const outcome = await runNode([
      '-e',
      `${LIMITER}
      (async () => {
        ${prepare(server.port)}
        const one = limiter(port);
        const call = () => one.check('key').then(() => setImmediate(call));
        ${moment}
        for (let n = 0; n < 1000; n++) call();
        ${moment}
        process.exit(7);
      })();`,
    ]);
    expect(outcome).toEqual({ code: 7, signal: null, stdout: '', stderr: '' });
  }
});

test('an exception that nobody catches ends the process as ever', async () => {
  const { code, signal, stderr } = await runNode([
    '-e',
    `${LIMITER}
    const one = limiter(${server.port});
    const call = () => one.check('key').then(() => setImmediate(call));
    for (let n = 0; n < 100; n++) call();
    setImmediate(() => { throw new Error('on purpose'); });`,
  ]);
  expect({ code, signal }).toEqual({ code: 1, signal: null });
  expect(stderr).toContain('on purpose');
});

/** Workers that ask without pause, which are terminated at any moment, four at a time. */
const WORKERS = `${LIMITER}
  const { Worker } = require('node:worker_threads');
  const source = \`
    const { DistributedRateLimiter } = require(\${JSON.stringify(require.resolve('keelson'))});
    const { parentPort, workerData } = require('node:worker_threads');
    const one = new DistributedRateLimiter(workerData);
    let answers = 0;
    const call = () => one.check('key').then(() => {
      if (++answers === 100) parentPort.postMessage('asked');
      setImmediate(call);
    });
    for (let n = 0; n < 64; n++) call();\`;
  const start = (port) => new Worker(source, { eval: true, workerData: {
    redis: { host: '127.0.0.1', port }, windowMs: 3600_000, maxRequests: 1e9, storeTimeout: 50, blockCache: 0,
  } });`;

test('workers that are terminated with checks under way leave the others alone', async () => {
  const found = await evaluateSoon<{ source: string; asked: number }>(`${WORKERS}
    const one = limiter(${server.port});
    const run = (index) => new Promise((resolve, reject) => {
      const worker = start(${server.port});
      let asked = false;
      // Half of them at any moment from their start on, half once they are at work.
      if (index % 2 === 0) setTimeout(() => worker.terminate(), 3 * index);
      worker.on('message', () => {
        asked = true;
        worker.terminate();
      });
      worker.on('error', reject);
      worker.on('exit', () => resolve(asked));
    });
    const lane = async (first) => {
      let asked = 0;
      for (let index = first; index < 32; index += 4) asked += await run(index);
      return asked;
    };
    (async () => {
      const counts = await Promise.all([0, 1, 2, 3].map(lane));
      const { source } = await one.check('key');
      console.log(JSON.stringify({ source, asked: counts.reduce((sum, count) => sum + count) }));
    })();`);
  expect(found.source).toBe('redis');
  expect(found.asked).toBeGreaterThanOrEqual(16);
});

test('process.exit() while workers have checks under way', async () => {
  const outcome = await runNode([
    '-e',
    `${WORKERS}
    const atWork = () => new Promise((resolve) => start(${server.port}).once('message', resolve));
    Promise.all([1, 2, 3, 4].map(atWork)).then(() => process.exit(7));`,
  ]);
  expect(outcome).toEqual({ code: 7, signal: null, stdout: '', stderr: '' });
});

test('a worker of a limiter that nobody asks ends by itself', async () => {
  const found = await evaluateSoon(`${LIMITER}
    const { Worker } = require('node:worker_threads');
    const source = \`
      const { DistributedRateLimiter } = require(\${JSON.stringify(require.resolve('keelson'))});
      const { parentPort, workerData: port } = require('node:worker_threads');
      const one = new DistributedRateLimiter({ redis: { host: '127.0.0.1', port }, windowMs: 1000, maxRequests: 10 });
      one.check('key').then(({ source }) => parentPort.postMessage(source));\`;
    const worker = new Worker(source, { eval: true, workerData: ${server.port} });
    worker.once('message', (source) => worker.once('exit', (code) => console.log(JSON.stringify([source, code]))));`);
  expect(found).toEqual(['redis', 0]);
});
