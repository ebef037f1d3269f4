// What a pool does to the process it runs in, and where it runs: workers, realms, contexts, modules loaded afresh.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import vm from 'node:vm';
import { Worker } from 'node:worker_threads';
import { destroyJsonWorkerPool, JSONWorkerPool, json } from 'keelson';
import { expectSame, recordsText, rejection } from './support/jsonTexts';
import { evaluate, root, runNode } from './support/process';

const MEGABYTE = 2 ** 20;

/** Makes `text`, an array of some megabytes, in a child process. */
const TEXT = `
  const text = JSON.stringify(Array.from({ length: 40000 }, (_, id) => ({ id, name: 'name ' + id, half: id / 2, list: [id, null] })));
  const { JSONWorkerPool, json, getJsonWorkerPool, parseJSONAsync } = require('keelson');`;

afterAll(() => destroyJsonWorkerPool());

describe('a process', () => {
  test('ends by itself with idle pools that nobody destroyed', async () => {
    const got = await evaluate<number[]>(`${TEXT}
      const pools = [new JSONWorkerPool(3), getJsonWorkerPool()];
      Promise.all([pools[0].parse(text), parseJSONAsync(text), pools[0].stringify([1])]).then((all) => {
        console.log(JSON.stringify(all.map((value) => value.length)));
      });`);
    expect(got).toEqual([40_000, 40_000, 3]);
  });

  test('has only the threads of live pools', async () => {
    const [before, live, after] = await evaluate<number[]>(`
      const threads = () => process.platform === 'linux' ? require('node:fs').readdirSync('/proc/self/task').length : 0;
      const { JSONWorkerPool } = require('keelson');
      (async () => {
        const before = threads();
        const pool = new JSONWorkerPool(5);
        const live = threads();
        await pool.destroy();
        // The thread that said it ended is about to.
        for (let turn = 0; turn < 10000 && threads() > before; turn++) await new Promise(setImmediate);
        console.log(JSON.stringify([before, live, threads()]));
      })();`);
    if (process.platform === 'linux') expect([live! - before!, after! - before!]).toEqual([5, 0]);
  });

  test.each([
    ['parsing', 'json.parse(text)'],
    ['parsing with a reviver', 'json.parse(text, { reviver: (key, value) => value })'],
    ['a stream', 'json.parseStream([text])'],
    ['writing', 'json.stringify(JSON.parse(text))'],
    ['a document', 'json.openDocument(text).then((document) => document.toJS())'],
    ['a queued task', 'new JSONWorkerPool(1).enqueueTask("stringify", [1])'],
  ])('stays alive while %s is pending, and ends after', async (_, call) => {
    const length = await evaluate<number>(`${TEXT} ${call}.then((value) => console.log(value.length));`);
    expect(length).toBeGreaterThan(0);
  });

  test('stays alive for a loop over lines, to its end', async () => {
    const got = await evaluate<number>(`${TEXT}
      (async () => {
        let count = 0;
        for await (const batch of json.ndjson([text.slice(1, -1).replaceAll('},{', '}\\n{')])) count += batch.length;
        console.log(count);
      })();`);
    expect(got).toBe(40_000);
  });

  test('ends with an iteration that nobody goes on with', async () => {
    const got = await evaluate<number>(`${TEXT}
      const lines = text.slice(1, -1).replaceAll('},{', '}\\n{');
      const batches = json.ndjson((async function* () { for (;;) yield lines + '\\n'; })());
      batches.next().then(({ value }) => console.log(value.length));`);
    expect(got).toBeGreaterThan(0);
  });

  test('ends while streams wait for what nobody will send', async () => {
    const outcome = await runNode([
      '-e',
      `${TEXT}
      const { PassThrough } = require('node:stream');
      const pool = new JSONWorkerPool(1);
      const streams = [1, 2, 3].map(() => new PassThrough());
      for (const stream of streams) stream.write(text.slice(0, -1));
      const ended = () => console.log('never');
      pool.parseStream(streams[0]).then(ended, ended);
      pool.openDocument(text).then(() => console.log('document'));
      json.ndjson(streams[1]).next().then(ended, ended);
      json.parseStream(streams[2], { maxKeys: 1e9 }).then(ended, ended);`,
    ]);
    expect(outcome).toEqual({ code: 0, signal: null, stdout: 'document\n', stderr: '' });
  });

  test('ends at process.exit(), whatever is going on', async () => {
    const source = `${TEXT}
      const pool = new JSONWorkerPool(2);
      for (let call = 0; call < 6; call++) pool.parse(text).catch(() => {});
      pool.parseStream([text], { maxDepth: 3 }).catch(() => {});
      let turns = 0;
      const turn = () => (turns++ < Number(process.argv[1]) ? setImmediate(turn) : process.exit(7));
      turn();`;
    for (const turns of [0, 1, 5, 20]) {
      const outcome = await runNode(['-e', source, String(turns)]);
      expect(outcome).toEqual({ code: 7, signal: null, stdout: '', stderr: '' });
    }
  });

  test('ends after destroy() in the middle of work', async () => {
    const got = await evaluate<string[]>(`${TEXT}
      const pool = new JSONWorkerPool(2);
      const calls = [1, 2, 3].map(() => pool.parse(text).catch((error) => error.code));
      setImmediate(() => pool.destroy());
      Promise.all(calls).then((all) => console.log(JSON.stringify(all)));`);
    expect(got).toEqual(Array(3).fill('ERR_KEELSON_DESTROYED'));
  });

  test('has no unhandled rejection from calls that fail after they were given up', async () => {
    const got = await evaluate<string[]>(`${TEXT}
      const pool = new JSONWorkerPool(1);
      const seen = [];
      const failing = async function* () { yield '['; throw new Error('late'); };
      const note = (error) => seen.push(error.message ?? error);
      (async () => {
        const controller = new AbortController();
        const { signal } = controller;
        const calls = [pool.parse(text, { signal }), pool.parse(text, { signal }), pool.parseStream(failing(), { signal }),
          pool.openDocument(text, { signal }), pool.stringify([text], { signal }), pool.ndjson(failing(), { signal }).next()];
        controller.abort('aborted');
        await Promise.all(calls.map((call) => call.catch(note)));
        await pool.ndjson(['1']).return();
        await pool.destroy();
        await new Promise((resolve) => setTimeout(resolve, 20));
        console.log(JSON.stringify(seen));
      })();`);
    expect(got).toEqual(Array(6).fill('aborted'));
  });
});

(process.platform === 'linux' ? test : test.skip)('a system without threads is told of', async () => {
  const source = `
    const { JSONWorkerPool } = require('./index.js');
    const pools = [];
    let error;
    try {
      while (pools.length < 64) pools.push(new JSONWorkerPool(1024));
    } catch (thrown) {
      error = thrown;
    }
    Promise.all(pools.map((pool) => pool.destroy())).then(() => {
      console.log(JSON.stringify({ code: error?.code, message: error?.message }));
    });`;
  const shell = `ulimit -v 16000000 && exec ${process.execPath} -e "$SOURCE"`;
  const stdout = execFileSync('sh', ['-c', shell], { cwd: root, env: { ...process.env, SOURCE: source } });
  expect(JSON.parse(stdout.toString())).toEqual({
    code: 'ERR_KEELSON_NO_THREADS',
    message: expect.stringContaining('maxWorkers'),
  });
});

describe('where code may not be made from strings', () => {
  test('parsing gives the same', async () => {
    const source = `${TEXT}
      const { isDeepStrictEqual } = require('node:util');
      let forbidden = false;
      try { new Function('return 1'); } catch { forbidden = true; }
      Promise.all([json.parse(text), json.parse(Buffer.from(text), { mode: 'auto' }), json.parseStream([text])]).then((all) => {
        const expected = JSON.parse(text);
        console.log(JSON.stringify([forbidden, ...all.map((value) => isDeepStrictEqual(value, expected))]));
      });`;
    const { stdout, stderr } = await runNode(['--disallow-code-generation-from-strings', '-e', source]);
    expect({ stdout: JSON.parse(stdout), stderr }).toEqual({ stdout: [true, true, true, true], stderr: '' });
  });

  test('and so does a context that forbids it', async () => {
    const context = vm.createContext({}, { codeGeneration: { strings: false, wasm: false } });
    const text = recordsText(MEGABYTE);
    const parse = vm.runInContext('(parse, text) => parse(text)', context) as (
      ...args: unknown[]
    ) => Promise<unknown>;
    expectSame(await parse(json.parse, text), JSON.parse(text));
  });
});

describe('realms', () => {
  const text = recordsText(MEGABYTE);

  test.each(['auto', 'sliced'] as const)("values are of the caller's realm, built by '%s'", async (mode) => {
    const value = await json.parse(text, { mode });
    expect(value).toBeInstanceOf(Array);
    for (const part of [value[0], value[7].address, value[0].address.extra]) {
      expect(part).toBeInstanceOf(Object);
      expect(Object.getPrototypeOf(part)).toBe(Object.prototype);
    }
    expect(value[0].tags).toBeInstanceOf(Array);
    expect(Object.getPrototypeOf(await json.parse(`{"a":${text}}`, { mode }))).toBe(Object.prototype);
  });

  test('errors are too', async () => {
    for (const bad of ['{', `${text}]`]) {
      const error = await rejection(json.parse(bad));
      expect(error).toBeInstanceOf(SyntaxError);
      expect(error).toBeInstanceOf(Error);
      expect(error.name).toBe('SyntaxError');
    }
    expect(await rejection(json.stringify({ n: 1n }))).toBeInstanceOf(TypeError);
    expect(await rejection(json.parse(text, { timeout: 0 }))).toBeInstanceOf(Error);
  });

  test('text, bytes and chunks may be of another realm', async () => {
    const context = vm.createContext({ text, TextEncoder });
    vm.runInContext(
      'bytes = new Uint8Array(text.length * 4); size = 0; for (const b of new TextEncoder().encode(text)) bytes[size++] = b',
      context,
    );
    const bytes = vm.runInContext('bytes.subarray(0, size)', context);
    expect(bytes).not.toBeInstanceOf(Uint8Array);
    expectSame(await json.parse(bytes), JSON.parse(text));
    expectSame(await json.parse(bytes, { reviver: (_, value) => value }), JSON.parse(text));
    expectSame(await json.parseStream([bytes]), JSON.parse(text));
    expectSame(await json.parseStream(vm.runInContext('[text]', context)), JSON.parse(text));
    expectSame(await (await json.openDocument(bytes)).toJS(), JSON.parse(text));
  });
});

test('modules loaded afresh have pools of their own', async () => {
  const load = (): typeof import('keelson') => {
    jest.resetModules();
    return require('keelson');
  };
  const [first, second] = [load(), load()];
  expect(first.JSONWorkerPool).not.toBe(second.JSONWorkerPool);
  const text = recordsText(MEGABYTE);
  const all = await Promise.all([first.json.parse(text), second.json.parse(text), first.json.parse(text)]);
  for (const value of all) expectSame(value, JSON.parse(text));
  expect(first.getJsonWorkerPool()).not.toBe(second.getJsonWorkerPool());
  await first.destroyJsonWorkerPool();
  expectSame(await second.json.parse(text), JSON.parse(text));
  await second.destroyJsonWorkerPool();
});

describe('worker threads', () => {
  test('have pools of their own, and keep their own messages', async () => {
    const source = `
      const { parentPort, workerData } = require('node:worker_threads');
      const { JSONWorkerPool } = require(workerData.keelson);
      const pool = new JSONWorkerPool(2);
      parentPort.on('message', async (message) => {
        if (message === 'end') return parentPort.unref();
        const value = await pool.parse(message.text);
        parentPort.postMessage({ id: message.id, length: value.length, same: JSON.stringify(value) === message.text });
      });`;
    const text = recordsText(MEGABYTE);
    const count = JSON.parse(text).length;
    const worker = new Worker(source, { eval: true, workerData: { keelson: join(__dirname, '..') } });
    const messages: { id: number }[] = [];
    worker.on('message', (message) => messages.push(message));
    const ended = new Promise<number>((resolve, reject) => {
      worker.once('exit', resolve);
      worker.once('error', reject);
    });
    const pool = new JSONWorkerPool(2);
    for (const id of [1, 2, 3]) worker.postMessage({ id, text });
    expect(await pool.parse(text)).toHaveLength(count);
    worker.postMessage('end');
    // The pool of the worker neither stops it from ending nor ends it before its work is done.
    expect(await ended).toBe(0);
    messages.sort((one, other) => one.id - other.id);
    expect(messages).toEqual([1, 2, 3].map((id) => ({ id, length: count, same: true })));
    await pool.destroy();
  });

  test('may be terminated at any moment of work', async () => {
    const script = join(__dirname, 'support', 'jsonWorkers.js');
    const seed = process.env.KEELSON_SEED ?? String(Math.floor(Math.random() * 2 ** 32));
    const { code, signal, stdout, stderr } = await runNode([script, seed, '60'], { limit: 100_000 });
    expect({ seed, code, signal, stderr }).toEqual({ seed, code: 0, signal: null, stderr: '' });
    const { terminated, right } = JSON.parse(stdout) as { terminated: number; right: boolean };
    expect({ terminated, right }).toEqual({ terminated: 60, right: true });
  }, 110_000);
});

test('thousands of calls, aborts, failures and pools leave nothing behind', async () => {
  const source = `${TEXT}
    const { PassThrough } = require('node:stream');
    const ignore = () => {};
    const threads = () => process.platform === 'linux' ? require('node:fs').readdirSync('/proc/self/task').length : 0;
    const files = () => process.platform === 'linux' ? require('node:fs').readdirSync('/proc/self/fd').length : 0;
    const shared = new AbortController().signal;
    const some = text.slice(0, text.indexOf('}', 150000) + 1) + ']';
    let rounds = 0;
    const round = async () => {
      const pool = new JSONWorkerPool(2);
      const controller = new AbortController();
      const calls = [];
      for (let call = 0; call < 10; call++) {
        calls.push(pool.parse(some), pool.parse(Buffer.from(some), { signal: shared }), pool.parse('[1]'));
        calls.push(pool.parse(some + 'x').catch(ignore), pool.parse(some, { maxDepth: 1 }).catch(ignore));
        calls.push(pool.parse(some, { signal: controller.signal }).catch(ignore));
        calls.push(pool.parseStream(new PassThrough(), { signal: controller.signal }).catch(ignore));
        calls.push(pool.openDocument(some).then((document) => document.get('/3/id')));
        calls.push(pool.parseFile(__filename).catch(ignore), pool.enqueueTask('stringify', [1, 2]));
        const batches = pool.ndjson(['1\\n2\\n', '3\\n'], { signal: shared });
        calls.push(batches.next().then(() => batches.return()));
      }
      setImmediate(() => controller.abort());
      await Promise.all(calls);
      const last = [pool.parse(some).catch(ignore), pool.parseStream(new PassThrough()).catch(ignore)];
      // Every other pool is left to the garbage collector, with a stream that nobody will write to.
      if (rounds++ % 2 === 0) await pool.destroy();
      await last[0];
    };
    const settle = async () => {
      for (let turn = 0; turn < 8; turn++) {
        global.gc();
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    };
    const look = () => ({ rss: process.memoryUsage().rss / 2 ** 20, threads: threads(), files: files() });
    (async () => {
      for (let i = 0; i < 15; i++) await round();
      await settle();
      const before = look();
      for (let i = 0; i < 45; i++) {
        await round();
        if (i % 5 === 0) await settle();
      }
      await settle();
      console.log(JSON.stringify([before, look()]));
    })();`;
  const { code, stdout, stderr } = await runNode(['--expose-gc', '-e', source]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const [before, after] = JSON.parse(stdout) as { rss: number; threads: number; files: number }[];
  expect(after!.rss - before!.rss).toBeLessThan(60);
  expect(after!.files).toBeLessThanOrEqual(before!.files + 2);
  expect(after!.threads).toBeLessThanOrEqual(before!.threads + 8);
});
