import { once } from 'node:events';
import { createReadStream, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { JSONWorkerPool, TimeoutError } from 'keelson';
import { countingSignal, expectSame, nextTurn, records, rejection, until } from './support/jsonTexts';
import { temporaryFolder } from './support/process';

const values = records(20_000);
const lines = values.map((value) => JSON.stringify(value));
const text = `${lines.join('\n')}\n`;

let pool: JSONWorkerPool;
const { folder, remove } = temporaryFolder();
beforeAll(() => {
  pool = new JSONWorkerPool(2);
});
afterAll(async () => {
  await pool.destroy();
  remove();
});

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

function timesOpen(path: string): number {
  if (process.platform !== 'linux') return 0;
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === path;
    } catch {
      return false;
    }
  }).length;
}

/** All batches of an iteration, and what ended it. */
async function collect(
  batches: AsyncIterable<unknown[]>,
): Promise<{ all: unknown[]; batches: number; error?: any }> {
  const all: unknown[] = [];
  let count = 0;
  try {
    for await (const batch of batches) {
      expect(batch.length).toBeGreaterThan(0);
      all.push(...batch);
      count += 1;
    }
  } catch (error) {
    return { all, batches: count, error };
  }
  return { all, batches: count };
}

test('a file gives its values in batches, and is closed at the end', async () => {
  const path = file('a.ndjson', text);
  for (const source of [path, pathToFileURL(path)]) {
    const { all, batches, error } = await collect(pool.ndjson(source));
    expect(error).toBeUndefined();
    expectSame(all, values);
    expect(batches).toBeGreaterThan(text.length / 2 ** 20);
    expect(batches).toBeLessThan(200);
    expect(timesOpen(path)).toBe(0);
  }
  const zipped = await collect(pool.ndjson(file('a.gz', gzipSync(text)), { mode: 'sliced' }));
  expectSame(zipped.all, values);
});

test('streams and iterables of any chunks give the same', async () => {
  const bytes = Buffer.from(text);
  const cut = <T>(whole: { length: number; slice(from: number, to: number): T }, size: number): T[] =>
    Array.from({ length: Math.ceil(whole.length / size) }, (_, n) => whole.slice(n * size, (n + 1) * size));
  for (const size of [1_000, 65_536, 10_000_000]) {
    for (const source of [cut(text, size), Readable.from(cut(bytes, size))]) {
      expectSame((await collect(pool.ndjson(source))).all, values);
    }
  }
});

test.each([
  ['a last line without its end', '1\n2', [1, 2]],
  ['CRLF', '{"a":1}\r\n[2]\r\n', [{ a: 1 }, [2]]],
  ['blank lines', '\n\n1\n \t\r\n\n2\n\n', [1, 2]],
  ['nothing', '', []],
  ['nothing but blank lines', '\n\r\n  \n', []],
  ['white space around values', '  1 \n\t"a"\t\n', [1, 'a']],
  ['values of every kind', 'null\ntrue\n"x"\n-0\n[]\n{}\n', [null, true, 'x', -0, [], {}]],
])('%s', async (_, content, expected) => {
  expect((await collect(pool.ndjson([content]))).all).toStrictEqual(expected);
  expect((await collect(pool.ndjson(content.split('')))).all).toStrictEqual(expected);
  expect((await collect(pool.ndjson(file('b.ndjson', content)))).all).toStrictEqual(expected);
});

describe('a line that is not JSON', () => {
  const at = 15_000;
  const bad = [...lines.slice(0, at), '{"bad":,}', ...lines.slice(at)].join('\r\n');
  const before = lines.slice(0, at).join('\r\n').length + 2;

  test('ends the iteration, after the values before it, and names its place', async () => {
    const { all, error } = await collect(pool.ndjson([bad]));
    expectSame(all, values.slice(0, at));
    expect(error).toBeInstanceOf(SyntaxError);
    expect(error).toMatchObject({
      code: 'ERR_KEELSON_JSON_SYNTAX',
      line: at + 1,
      column: 8,
      position: before + 7,
    });
    expect(error.excerpt).toContain('"bad"');
  });

  test('is told to onBadLine, and left out', async () => {
    const told: any[] = [];
    const source = [bad, '\n{', '\n', '[1]\n"'];
    const { all, error } = await collect(pool.ndjson(source, { onBadLine: (fault) => told.push(fault) }));
    expect(error).toBeUndefined();
    expectSame(all, [...values, [1]]);
    expect(told.map(({ line, column }) => [line, column])).toEqual([
      [at + 1, 8],
      [values.length + 2, 2],
      [values.length + 4, 2],
    ]);
    for (const fault of told) expect(fault).toBeInstanceOf(SyntaxError);
  });

  test('onBadLine may end the iteration by throwing', async () => {
    const thrown = new Error('enough');
    const { error } = await collect(
      pool.ndjson(['1\nx\n2\n'], {
        onBadLine: () => {
          throw thrown;
        },
      }),
    );
    expect(error).toBe(thrown);
    expect(pool.metrics().active).toBe(0);
  });
});

describe('long lines', () => {
  const huge = JSON.stringify(records(30_000));

  test('a value far larger than a batch comes whole', async () => {
    const { all } = await collect(pool.ndjson([`1\n${huge}\n2\n${huge}`]));
    expect(all).toHaveLength(4);
    expectSame(all, [1, JSON.parse(huge), 2, JSON.parse(huge)]);
  });

  test('beyond maxLineBytes count as bad, to the byte', async () => {
    const content = '"ééé"\n1\n"éééé"\n2\n';
    expect((await collect(pool.ndjson([content], { maxLineBytes: 10 }))).all).toEqual(['ééé', 1, 'éééé', 2]);
    const { all, error } = await collect(pool.ndjson([content], { maxLineBytes: 9 }));
    expect(all).toEqual(['ééé', 1]);
    const tooLong = { code: 'ERR_KEELSON_JSON_LIMIT', limit: 'maxLineBytes' };
    expect(error).toMatchObject({ ...tooLong, maximum: 9, line: 3, column: 6 });
    const told: any[] = [];
    const source = ['1\n', huge, '\n2\n'];
    const skipped = await collect(
      pool.ndjson(source, { maxLineBytes: 1_000, onBadLine: (fault) => told.push(fault) }),
    );
    expect(skipped).toEqual({ all: [1, 2], batches: expect.any(Number) });
    expect(told).toMatchObject([{ ...tooLong, maximum: 1_000, line: 2 }]);
  });

  test('limits hold: depth and keys for a line, bytes for all', async () => {
    const deep = await collect(pool.ndjson(['[[1]]\n[[[1]]]\n'], { maxDepth: 2 }));
    expect(deep.error).toMatchObject({ code: 'ERR_KEELSON_JSON_LIMIT', limit: 'maxDepth' });
    const keys = await collect(pool.ndjson(['{"a":1}\n{"b":1}\n{"a":1,"b":2}\n'], { maxKeys: 1 }));
    expect(keys.all).toEqual([{ a: 1 }, { b: 1 }]);
    expect(keys.error).toMatchObject({ code: 'ERR_KEELSON_JSON_LIMIT', limit: 'maxKeys' });
    const bytes = await collect(pool.ndjson(['1\n2\n3\n'], { maxBytes: 5 }));
    expect(bytes.error).toMatchObject({ code: 'ERR_KEELSON_JSON_LIMIT', limit: 'maxBytes' });
  });
});

describe('leaving early', () => {
  test('by break closes the file and frees the job, and is no error', async () => {
    const path = file('left.ndjson', text);
    const errors = pool.getStats().errorCount;
    for (let round = 0; round < 10; round++) {
      for await (const batch of pool.ndjson(path)) {
        expectSame(batch[0], values[0]);
        break;
      }
      expect(pool.metrics()).toMatchObject({ active: 0 });
      await until(() => timesOpen(path) === 0);
    }
    expect(pool.getStats().errorCount).toBe(errors);
  });

  test('by throwing in the loop destroys a stream that never ends', async () => {
    const stream = new PassThrough();
    stream.write('1\n');
    const thrown = new Error('mine');
    const closed = once(stream, 'close');
    const loop = async () => {
      for await (const batch of pool.ndjson(stream)) {
        expect(batch).toEqual([1]);
        throw thrown;
      }
    };
    expect(await rejection(loop())).toBe(thrown);
    await closed;
    expect(pool.metrics()).toMatchObject({ active: 0 });
  });
});

test('a slow stream gives its values before it ends', async () => {
  const stream = new PassThrough();
  const batches = pool.ndjson(stream);
  const got: unknown[] = [];
  const expected: unknown[] = [];
  for (let n = 0; n < 20; n++) {
    stream.write(`${n}\n{"half":`);
    expected.push(n);
    while (got.length < expected.length) got.push(...(await batches.next()).value!);
    expect(got).toEqual(expected);
    stream.write(`${n}}\n`);
    expected.push({ half: n });
  }
  stream.end();
  expect((await batches.next()).value).toEqual([{ half: 19 }]);
  expect(await batches.next()).toEqual({ done: true, value: undefined });
});

test('the source is read no faster than batches are asked for', async () => {
  let given = 0;
  const chunk = text.slice(0, text.lastIndexOf('\n', 500_000) + 1);
  const source = (async function* () {
    for (; given < 100; given++) yield chunk;
  })();
  const batches = pool.ndjson(source);
  await batches.next();
  // Whatever is read ahead comes to a rest.
  let [last, still] = [given, 0];
  while (still < 200) {
    await nextTurn();
    still = given === last ? still + 1 : 0;
    last = given;
  }
  expect(given).toBeLessThan(30);
  await batches.return();
  expect(pool.metrics().active).toBe(0);
});

test('an abort ends the iteration at once, with what is ready left out', async () => {
  const { controller, signal, listeners } = countingSignal();
  const path = file('aborted.ndjson', text);
  const batches = pool.ndjson(path, { signal });
  expect((await batches.next()).done).toBe(false);
  await nextTurn();
  const reason = { mine: true };
  controller.abort(reason);
  expect(await rejection(batches.next())).toBe(reason);
  expect(await batches.next()).toEqual({ done: true, value: undefined });
  expect(listeners()).toBe(0);
  await until(() => timesOpen(path) === 0);
});

test('an abort wakes whoever waits for a batch that never comes, and so does a timeout', async () => {
  const controller = new AbortController();
  const stream = new PassThrough();
  const waiting = rejection(pool.ndjson(stream, { signal: controller.signal }).next());
  await nextTurn();
  controller.abort('reason');
  expect(await waiting).toBe('reason');
  expect(stream.destroyed).toBe(true);
  expect(await rejection(pool.ndjson(new PassThrough(), { timeout: 5 }).next())).toBeInstanceOf(TimeoutError);
});

test('a stream that fails gives what was ready, and then its error', async () => {
  const failure = new Error('the network is down');
  let taken: (() => void) | undefined;
  const source = (async function* () {
    yield '1\n2\n';
    await new Promise<void>((resolve) => {
      taken = resolve;
    });
    throw failure;
  })();
  const batches = pool.ndjson(source);
  expect((await batches.next()).value).toEqual([1, 2]);
  const next = rejection(batches.next());
  taken!();
  expect(await next).toBe(failure);
});

test('a missing file fails at the first batch', async () => {
  const batches = pool.ndjson(join(folder, 'nowhere'));
  expect(await rejection(batches.next())).toMatchObject({ code: 'ENOENT' });
  expect(await batches.next()).toEqual({ done: true, value: undefined });
});

test('flush() does not wait for an iteration, which its caller paces', async () => {
  for await (const batch of pool.ndjson(['1\n2\n'])) {
    expect(batch).toEqual([1, 2]);
    await pool.flush();
  }
});

test('destroy() ends an iteration', async () => {
  const own = new JSONWorkerPool(1);
  const batches = own.ndjson(new PassThrough());
  const next = rejection(batches.next());
  await nextTurn();
  await own.destroy();
  expect(await next).toMatchObject({ code: 'ERR_KEELSON_DESTROYED', message: 'JSON Worker Pool destroyed' });
});

test('several iterations at once do not mix', async () => {
  const many = await Promise.all(
    Array.from({ length: 12 }, (_, n) =>
      collect(pool.ndjson([lines.slice(n * 100, n * 100 + 5_000).join('\n')])),
    ),
  );
  for (const [n, { all }] of many.entries()) expectSame(all, values.slice(n * 100, n * 100 + 5_000));
});

describe('an iteration that is left before it begins', () => {
  test.each(['return', 'throw'] as const)('by %s() closes its source', async (way) => {
    const stream = new PassThrough();
    let cancelled = false;
    const web = new ReadableStream({
      cancel() {
        cancelled = true;
      },
    });
    const returned = jest.fn(async () => ({ done: true, value: undefined }));
    const iterator = { next: jest.fn(), return: returned, [Symbol.asyncIterator]: () => iterator };
    const { processed } = pool.metrics();
    for (const source of [stream, web, iterator, join(folder, 'missing')] as any[]) {
      const batches = pool.ndjson(source);
      if (way === 'return') expect(await batches.return()).toEqual({ done: true, value: undefined });
      else expect(await rejection(batches.throw(new Error('mine')))).toMatchObject({ message: 'mine' });
      expect(await batches.next()).toEqual({ done: true, value: undefined });
    }
    await until(() => cancelled);
    expect(stream.destroyed).toBe(true);
    expect(returned).toHaveBeenCalledTimes(1);
    expect(iterator.next).not.toHaveBeenCalled();
    expect(pool.metrics().processed).toBe(processed);
  });

  test('since the pool or its signal ended, closes it too', async () => {
    const streams = [new PassThrough(), new PassThrough(), new PassThrough()];
    const signal = AbortSignal.abort('gone');
    expect(await rejection(pool.ndjson(streams[0]!, { signal }).next())).toBe('gone');
    expect(await rejection(pool.parseStream(streams[1]!, { signal }))).toBe('gone');
    const other = new JSONWorkerPool(1);
    await other.destroy();
    expect(await rejection(other.ndjson(streams[2]!).next())).toMatchObject({
      code: 'ERR_KEELSON_DESTROYED',
    });
    for (const stream of streams) expect(stream.destroyed).toBe(true);
  });
});

test('return() ends an iteration that waits for its source', async () => {
  const stream = new PassThrough();
  const batches = pool.ndjson(stream);
  const waiting = batches.next();
  await nextTurn();
  await batches.return();
  expect(await waiting).toEqual({ done: true, value: undefined });
  await until(() => stream.destroyed);
  expect(pool.metrics().active).toBe(0);
});

test('{ path } is a file; a stream that has a path is a stream', async () => {
  const path = file('path.ndjson', '1\n2\n');
  expect((await collect(pool.ndjson({ path }))).all).toEqual([1, 2]);
  const stream = createReadStream(path);
  expect((await collect(pool.ndjson(stream))).all).toEqual([1, 2]);
  expect(stream.destroyed).toBe(true);
});

test('to leave early is no failure', async () => {
  const fresh = new JSONWorkerPool(1);
  for await (const batch of fresh.ndjson([text])) {
    expect(batch.length).toBeGreaterThan(0);
    break;
  }
  expect(fresh.metrics()).toMatchObject({ active: 0, processed: 1 });
  expect(fresh.getStats()).toMatchObject({ totalProcessed: 1, errorCount: 0 });
  await fresh.destroy();
});
