import { once } from 'node:events';
import { readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import * as zlib from 'node:zlib';
import { JSONWorkerPool, KeelsonError } from 'keelson';
import { expectSame, nextTurn, recordsText, rejection, until } from './support/jsonTexts';
import { temporaryFolder } from './support/process';

const MEGABYTE = 2 ** 20;
const text = recordsText(3 * MEGABYTE);
const value = JSON.parse(text);

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

/** How often this process has `path` open, where that can be seen. */
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

/** Zstandard of `bytes` without compression (RFC 8878): one frame of raw blocks, which any Node can make. */
function zstd(bytes: Buffer): Buffer {
  const parts: Uint8Array[] = [Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58])];
  const BLOCK = 100_000;
  for (let at = 0; at < bytes.length; at += BLOCK) {
    const block = bytes.subarray(at, at + BLOCK);
    const header = Buffer.alloc(3);
    header.writeUIntLE((block.length << 3) | (at + BLOCK >= bytes.length ? 1 : 0), 0, 3);
    parts.push(header, block);
  }
  return Buffer.concat(parts);
}

describe('parseFile', () => {
  test('reads a path or a URL, large or small, whatever its name', async () => {
    for (const [name, content] of [
      ['small.json', '{"a":[1,"é"]}'],
      ['large.json', text],
      ['Größe 吉 %20#?😀.json', text],
    ] as const) {
      const path = file(name, content);
      expectSame(await pool.parseFile(path), JSON.parse(content));
      expectSame(await pool.parseFile(pathToFileURL(path)), JSON.parse(content));
      expect(timesOpen(path)).toBe(0);
    }
  });

  test("fails with Node's own error where there is no file, or none that can be read", async () => {
    expect(await rejection(pool.parseFile(join(folder, 'nowhere')))).toMatchObject({
      code: 'ENOENT',
      syscall: 'open',
    });
    expect(await rejection(pool.parseFile(folder))).toMatchObject({ code: 'EISDIR' });
    expect(await rejection(pool.parseFile('a\0b'))).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' });
    expect(pool.metrics().active).toBe(0);
  });

  test('an empty file is no JSON, and neither is one that begins with a byte order mark', async () => {
    const empty = file('empty.json', '');
    expect(await rejection(pool.parseFile(empty))).toMatchObject({
      code: 'ERR_KEELSON_JSON_SYNTAX',
      position: 0,
    });
    const marked = file('marked.json', '\ufeff[1]');
    const error = await rejection(pool.parseFile(marked));
    expect(error).toBeInstanceOf(SyntaxError);
    expect(error).toMatchObject({ code: 'ERR_KEELSON_JSON_SYNTAX', position: 0 });
    await until(() => timesOpen(marked) === 0);
  });

  test('a fault names its place', async () => {
    const path = file('fault.json', `${text.slice(0, -1)},\n  oops]`);
    const error = await rejection(pool.parseFile(path));
    expect(error).toMatchObject({ position: text.length + 3, line: 2, column: 3 });
    expect(error.excerpt).toContain('oops');
    await until(() => timesOpen(path) === 0);
  });

  test('inflates gzip and Zstandard by their first bytes, several members too', async () => {
    const [head, tail] = [text.slice(0, 1_234_567), text.slice(1_234_567)];
    const forms: [string, Buffer][] = [
      ['a.gz', zlib.gzipSync(text)],
      ['members.json', Buffer.concat([zlib.gzipSync(head), zlib.gzipSync(tail)])],
      ['a.zst', zstd(Buffer.from(text))],
      ['frames', Buffer.concat([zstd(Buffer.from(head)), zstd(Buffer.from(tail))])],
    ];
    if ('zstdCompressSync' in zlib) forms.push(['real.zst', (zlib as any).zstdCompressSync(text)]);
    for (const [name, bytes] of forms) {
      const path = file(name, bytes);
      expectSame(await pool.parseFile(path), value);
      expectSame(await pool.parseStream(Readable.from([bytes.subarray(0, 1), bytes.subarray(1)])), value);
      expectSame(await (await pool.openDocument({ path })).toJS(), value);
    }
  });

  test('what is cut short or damaged within compression is a typed error', async () => {
    const [gzip, frame] = [zlib.gzipSync(text), zstd(Buffer.from(text))];
    const flipped = Buffer.from(gzip);
    flipped[gzip.length >> 1]! ^= 0x55;
    const bad = [
      gzip.subarray(0, gzip.length - 4),
      gzip.subarray(0, gzip.length >> 1),
      frame.subarray(0, frame.length >> 1),
      flipped,
      Buffer.concat([gzip, Buffer.from('rubbish that is no member')]),
    ];
    for (const bytes of bad) {
      const error = await rejection(pool.parseFile(file('bad', bytes)));
      expect(error).toBeInstanceOf(Error);
      // Damage may also show as text that is not JSON before the checksum is reached.
      expect(['ERR_KEELSON_JSON_COMPRESSION', 'ERR_KEELSON_JSON_SYNTAX']).toContain(error.code);
    }
    const cut = await rejection(pool.parseFile(file('cut', gzip.subarray(0, gzip.length - 4))));
    expect(cut).toBeInstanceOf(KeelsonError);
    expect(cut).toMatchObject({ code: 'ERR_KEELSON_JSON_COMPRESSION' });
    await until(() => timesOpen(join(folder, 'cut')) === 0);
  });

  test('limits count what is inflated, so that a bomb is stopped early', async () => {
    const path = file('bomb.gz', zlib.gzipSync(Buffer.alloc(50_000_000, ' ')));
    const error = await rejection(pool.parseFile(path, { maxBytes: 1_000_000 }));
    expect(error).toMatchObject({ code: 'ERR_KEELSON_JSON_LIMIT', limit: 'maxBytes', maximum: 1_000_000 });
    await until(() => timesOpen(path) === 0);
  });

  test('an abort at any moment closes the file', async () => {
    const path = file('aborted.json', text);
    for (let turns = 0; turns < 25; turns++) {
      const controller = new AbortController();
      const call = pool.parseFile(path, { signal: controller.signal }).catch((error) => error);
      for (let turn = 0; turn < turns; turn++) await nextTurn();
      const reason = new Error('aborted');
      controller.abort(reason);
      const outcome = await call;
      if (outcome instanceof Error) expect(outcome).toBe(reason);
      await until(() => timesOpen(path) === 0);
    }
    expect(pool.metrics().active).toBe(0);
  });
});

describe('parseStream', () => {
  test('takes buffers, strings, views and iterables of them, empty ones too', async () => {
    const bytes = Buffer.from(text);
    const half = bytes.length >> 1;
    const sources: [string, () => any][] = [
      ['buffers', () => Readable.from([bytes.subarray(0, half), bytes.subarray(half)])],
      ['strings', () => Readable.from([text.slice(0, 1_000), '', text.slice(1_000)])],
      ['an array', () => [Buffer.alloc(0), text]],
      ['a set', () => new Set([text])],
      ['a view', () => [new DataView(bytes.buffer, bytes.byteOffset, bytes.length)]],
      [
        'strings and buffers',
        () => ['', bytes.subarray(0, 1), text.slice(1, 9_999), Buffer.from(text.slice(9_999))],
      ],
      ['a generator', () => generate(text, 100_000)],
      ['a web stream', () => new Blob([bytes]).stream()],
      ['text in a file', () => Readable.from([bytes], { objectMode: false })],
    ];
    for (const [name, source] of sources) {
      const got = await pool.parseStream(source());
      expect([name, JSON.stringify(got) === text]).toEqual([name, true]);
    }
  });

  test('cut anywhere, inside of characters, escapes and numbers', async () => {
    const odd = '{"é\\u00e9":[-1.5e-7,true,null,"😀\\ud83d\\ude00\\n\\\\"],"吉":{"a":[[],{}]}}';
    const bytes = Buffer.from(odd);
    for (let at = 0; at <= bytes.length; at++) {
      expectSame(await pool.parseStream([bytes.subarray(0, at), bytes.subarray(at)]), JSON.parse(odd));
    }
    expectSame(await pool.parseStream(Array.from(bytes, (byte) => Buffer.of(byte))), JSON.parse(odd));
    expectSame(await pool.parseStream(odd.split('')), JSON.parse(odd));
    for (const size of [997, 65_537]) expectSame(await pool.parseStream(generate(text, size)), value);
  });

  test('a chunk that is neither text nor bytes is refused, and the stream destroyed', async () => {
    for (const chunk of [1, {}, true, [1]]) {
      const stream = Readable.from(generateAll(['[', chunk as any, ']']));
      const error = await rejection(pool.parseStream(stream));
      expect(error).toMatchObject({ code: 'ERR_KEELSON_INVALID_ARGUMENT' });
      expect(stream.destroyed).toBe(true);
    }
  });

  test('a stream that fails rejects with its very error', async () => {
    const failure = new Error('the network is down');
    const failing = async function* () {
      yield text.slice(0, 500_000);
      throw failure;
    };
    expect(await rejection(pool.parseStream(failing()))).toBe(failure);
    const stream = new PassThrough();
    const call = rejection(pool.parseStream(stream));
    stream.write('[1,');
    await nextTurn();
    stream.destroy(failure);
    expect(await call).toBe(failure);
    const destroyed = new PassThrough();
    destroyed.destroy();
    expect(await rejection(pool.parseStream(destroyed))).toMatchObject({
      code: 'ERR_STREAM_PREMATURE_CLOSE',
    });
    expect(pool.metrics().active).toBe(0);
  });

  test('malformed text destroys the stream before its end', async () => {
    const stream = new PassThrough();
    const closed = once(stream, 'close');
    const call = rejection(pool.parseStream(stream));
    stream.write('[1,,');
    expect(await call).toMatchObject({ code: 'ERR_KEELSON_JSON_SYNTAX', position: 3 });
    await closed;
    expect(stream.destroyed).toBe(true);
  });

  test('an abort closes what never ends: a stream, an iterator, a web stream', async () => {
    const stream = new PassThrough();
    stream.write('[');
    const closing = { iterator: false, web: false };
    const iterator: AsyncIterable<string> = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise(() => {}),
        return: async () => {
          closing.iterator = true;
          return { done: true, value: undefined };
        },
      }),
    };
    const web = new ReadableStream({
      cancel() {
        closing.web = true;
      },
    });
    for (const source of [stream, iterator, web] as any[]) {
      const controller = new AbortController();
      const call = rejection(pool.parseStream(source, { signal: controller.signal }));
      await nextTurn();
      controller.abort('enough');
      expect(await call).toBe('enough');
    }
    await until(() => stream.destroyed && closing.iterator && closing.web);
    expect(pool.metrics().active).toBe(0);
  });

  test('what is a stream by its methods alone is destroyed, however long its iterator waits', async () => {
    const stream = {
      destroy: jest.fn(),
      pipe() {},
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise<never>(() => {}),
        return: () => new Promise<never>(() => {}),
      }),
    };
    const controller = new AbortController();
    const call = rejection(pool.parseStream(stream, { signal: controller.signal }));
    await nextTurn();
    controller.abort('enough');
    expect(await call).toBe('enough');
    expect(stream.destroy).toHaveBeenCalledTimes(1);
  });

  test('a source is read no faster than it is worked on', async () => {
    const MUCH = 64;
    const busy = new JSONWorkerPool(1);
    // The only thread has other work of a higher priority: some pieces may wait, not the whole stream.
    let asked = 0;
    const source = (async function* () {
      yield '[0';
      for (; asked < MUCH; asked++) yield `,"${'x'.repeat(MEGABYTE)}"`;
      yield ']';
    })();
    const blocker = new AbortController();
    const high = Array.from({ length: 30 }, () =>
      busy.parseStream([text, text], { priority: 'high' }).catch(() => {}),
    );
    const call = busy.parseStream(source, { priority: 'low', signal: blocker.signal });
    const most: number[] = [];
    const watch = async () => {
      while (busy.metrics().active > 25) {
        most.push(asked);
        await nextTurn();
      }
    };
    await watch();
    expect(Math.max(...most)).toBeLessThan(8);
    await Promise.all(high);
    expect(await call).toHaveLength(MUCH + 1);
    await busy.destroy();
  });
});

function* generate(whole: string, size: number): Generator<string> {
  for (let at = 0; at < whole.length; at += size) yield whole.slice(at, at + size);
}

function* generateAll<T>(chunks: T[]): Generator<T> {
  yield* chunks;
}
