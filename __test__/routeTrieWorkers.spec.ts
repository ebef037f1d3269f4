// One answer wherever it is asked: in worker threads, in modules loaded afresh, and where code generation is forbidden.
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { runNode } from './support/process';

const script = join(__dirname, 'support', 'routeAnswers.js');
const SEED = 20_261_123;

interface Answers {
  digest: string;
  found: number;
  count: number;
  some: unknown[];
}

async function inProcess(...flags: string[]): Promise<Answers> {
  const { code, stdout, stderr } = await runNode([...flags, script, String(SEED)]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout);
}

function inWorker(seed: number): Promise<Answers> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(script, { workerData: seed });
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

test('where code generation from strings is forbidden, the answers are the same', async () => {
  const [free, bound] = await Promise.all([
    inProcess(),
    inProcess('--disallow-code-generation-from-strings'),
  ]);
  expect(bound).toStrictEqual(free);
  expect(free.found).toBeGreaterThan(free.count / 4);
  expect(free.some).toContainEqual(expect.any(Array));
});

test('several workers at a time, each with tries of its own, answer as the main thread does', async () => {
  const here: Answers = require(script)(SEED);
  const others: Answers = require(script)(SEED + 1);
  expect(others.digest).not.toBe(here.digest);
  const found = await Promise.all([SEED, SEED + 1, SEED, SEED + 1].map(inWorker));
  const digests = found.map(({ digest }) => digest);
  expect(digests).toStrictEqual([here.digest, others.digest, here.digest, others.digest]);
});

test('modules loaded afresh have tries and errors of their own', () => {
  const route = { id: 'x', method: 'GET', handler: () => {} };
  const load = (): typeof import('keelson') => {
    jest.resetModules();
    return require('keelson');
  };
  const [first, second] = [load(), load()];
  expect(second.RouteTrie).not.toBe(first.RouteTrie);
  const tries = [new first.RouteTrie(), new second.RouteTrie({ strict: true })] as const;
  for (const trie of tries) {
    trie.insert('/a/:x(\\d+)-:y', route);
    trie.insert('/b/:x', route);
  }
  for (const trie of tries) expect(trie.search('/a/1-2', 'GET')?.params).toStrictEqual({ x: '1', y: '2' });
  expect(() => tries[1].insert('/a/:z(\\d+)-:y', route)).toThrow(second.RouteConflictError);
  expect(() => tries[0].search('/b/%zz', 'GET')).toThrow(first.MalformedPathError);
  expect(() => tries[1].search('/b/%zz', 'GET')).toThrow(second.MalformedPathError);
  expect(() => new first.RouteTrie({ strict: 1 as any })).toThrow(first.InvalidArgumentError);
  expect(require('./support/routeAnswers.js')(SEED).digest).toBe(require(script)(SEED).digest);
});

test('thousands of tries are collected with their memory', async () => {
  const source = `
    const { RouteTrie } = require('.');
    const route = { id: 'x', method: 'GET', handler() {} };
    const make = (count) => {
      for (let i = 0; i < count; i++) {
        const trie = new RouteTrie();
        for (let j = 0; j < 20; j++) trie.insert('/r' + j + '/:x([0-9a-f]{8})/:y-:z(\\\\d+)', route);
        trie.search('/r1/0123abcd/1-2', 'GET');
      }
    };
    (async () => {
      make(200);
      const settle = async () => { for (let i = 0; i < 5; i++) { global.gc(); await new Promise(setImmediate); } };
      await settle();
      const before = process.memoryUsage().rss;
      for (let i = 0; i < 20; i++) { make(100); await settle(); }
      console.log(JSON.stringify((process.memoryUsage().rss - before) / 2 ** 20));
    })();`;
  const { code, stdout, stderr } = await runNode(['--expose-gc', '-e', source]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(Number(stdout)).toBeLessThan(40);
});
