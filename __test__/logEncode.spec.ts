import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { jsonOf, liftsOf, lineOf, plainOf } from '../dist/log/encode';
import { textOf } from '../dist/log/text';
import { useLogs } from './support/logs';

const place = useLogs();

const line = (metadata: unknown, message = 'message'): any => {
  const told = plainOf(metadata);
  const text = lineOf(1, 'info', textOf(message), jsonOf(told), liftsOf(told), '');
  expect(text).not.toContain('\n');
  return JSON.parse(text);
};
const metadataOf = (metadata: unknown): any => line(metadata).metadata;

/** What JSON.stringify makes of the original's entry. */
function plain(message: string, metadata: any): unknown {
  const lifted = typeof metadata === 'object' && metadata !== null ? metadata : {};
  const { requestId, userId, service } = lifted;
  const entry = { timestamp: 1, level: 'info', message, metadata, requestId, userId, service };
  return JSON.parse(JSON.stringify(entry));
}

test('what JSON has all of is the line of the original', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.jsonValue({ maxDepth: 12 }), (message, metadata) => {
      expect(line(metadata, message)).toEqual(plain(message, metadata));
    }),
  );
});

test('whatever is logged, the line is JSON', () => {
  const anything = fc.anything({
    maxDepth: 4,
    withBigInt: true,
    withBoxedValues: true,
    withDate: true,
    withMap: true,
    withNullPrototype: true,
    withObjectString: true,
    withSet: true,
    withTypedArray: true,
    withSparseArray: true,
    key: fc.oneof(fc.string(), fc.constantFrom('__proto__', 'toJSON', 'constructor', 'requestId', 'valueOf')),
  });
  fc.assert(fc.property(anything, (metadata) => void line(metadata)));
});

test('what JSON has no form for is told', () => {
  expect(
    metadataOf({
      big: 12n,
      call() {},
      sign: Symbol('x'),
      map: new Map([['a', 1n]]),
      pairs: new Map<unknown, unknown>([
        ['a', 1],
        [{ b: 2 }, 3],
      ]),
      set: new Set([1]),
      bytes: new Uint8Array(3),
      boxed: Object(5),
      pattern: /a.c/gi,
      later: Promise.resolve(1),
      weak: new WeakMap(),
      shared: new SharedArrayBuffer(5),
      memory: Buffer.alloc(100_000),
      few: Buffer.from([1, 2]),
      huge: 1n << 100_000n,
      query: new URLSearchParams('a=1'),
      empty: new (class Empty {})(),
      none: undefined,
    }),
  ).toEqual({
    big: '[BigInt: 12]',
    call: '[Function: call]',
    sign: '[Symbol: x]',
    map: { a: '[BigInt: 1]' },
    pairs: { a: 1, '[Map]': [[{ b: 2 }, 3]] },
    set: { '[Set]': [1] },
    bytes: '[Uint8Array: 3 bytes]',
    boxed: 5,
    pattern: '/a.c/gi',
    later: '[Promise]',
    weak: '[WeakMap]',
    shared: '[SharedArrayBuffer: 5 bytes]',
    memory: '[Buffer: 100000 bytes]',
    few: { type: 'Buffer', data: [1, 2] },
    huge: '[BigInt: too large]',
    query: '[URLSearchParams]',
    empty: {},
  });
  expect(metadataOf(() => {})).toBe('[Function: ]');
  expect(metadataOf([undefined, Number.NaN, -0])).toEqual([null, null, 0]);
});

test('what leads back to itself, or too deep, ends there', () => {
  const ring: any = { name: 'ring', list: [] };
  ring.list.push(ring, { ring });
  expect(metadataOf(ring)).toEqual({ name: 'ring', list: ['[Circular]', { ring: '[Circular]' }] });
  const shared = { a: 1 };
  expect(metadataOf({ one: shared, other: shared, big: 1n })).toMatchObject({
    one: { a: 1 },
    other: { a: 1 },
  });
  let deep: any = {};
  for (let level = 0; level < 100_000; level++) deep = { deep };
  expect(JSON.stringify(line(deep))).toContain('[Too deep]');
});

test('what throws is told, and the rest is there', () => {
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  const mean = {
    fine: 1,
    get bad() {
      throw new Error('no');
    },
    json: {
      toJSON() {
        throw new TypeError('not so');
      },
    },
    gone: revoked.proxy,
    message: {
      get message() {
        throw 1;
      },
    },
    thrower: {
      toJSON() {
        throw {
          get message() {
            throw 1;
          },
        };
      },
    },
  };
  expect(metadataOf(mean)).toEqual({
    fine: 1,
    bad: '[Throws: no]',
    json: '[Throws: not so]',
    gone: expect.stringMatching(/^\[Throws: .*revoked/),
    message: { message: '[Throws: 1]' },
    thrower: '[Throws]',
  });
  expect(metadataOf(revoked.proxy)).toEqual(expect.stringMatching(/^\[Throws/));
});

test('what other realms have is told as what it is', () => {
  const others = runInNewContext(`({
    error: new TypeError('other', { cause: new Error('inner') }),
    map: new Map([['a', 1]]),
    set: new Set([1]),
    date: new Date(0),
    bytes: new Uint8Array(2),
    plain: { a: [1, { b: 2n }] },
  })`);
  expect(metadataOf(others)).toMatchObject({
    error: { name: 'TypeError', message: 'other', cause: { message: 'inner' } },
    map: { a: 1 },
    set: { '[Set]': [1] },
    date: '1970-01-01T00:00:00.000Z',
    bytes: '[Uint8Array: 2 bytes]',
    plain: { a: [1, { b: '[BigInt: 2]' }] },
  });
});

test('an object without a prototype, or with a member of any name, is told as any other', () => {
  const bare = Object.assign(Object.create(null), { a: 1, big: 2n });
  expect(metadataOf(bare)).toEqual({ a: 1, big: '[BigInt: 2]' });
  for (const name of ['valueOf', 'toString', 'constructor', 'then', 'length', 'size']) {
    expect(metadataOf({ [name]: 1, big: 2n })).toEqual({ [name]: 1, big: '[BigInt: 2]' });
    class Strange {
      fine = 1;
      get [name](): never {
        throw new Error('no');
      }
    }
    expect(metadataOf(new Strange())).toEqual({ fine: 1 });
  }
});

test('a getter that throws costs an object of a class nothing but its member', () => {
  for (const name of ['method', 'url', 'headers', 'statusCode', 'toJSON', Symbol.toStringTag]) {
    class Strange {
      fine = 1;
      get [name](): never {
        throw new Error('no');
      }
    }
    expect(metadataOf(new Strange())).toEqual({ fine: 1 });
  }
  const list: unknown[] = [1, 2];
  Object.defineProperty(list, 0, {
    enumerable: true,
    get() {
      throw new Error('no');
    },
  });
  expect(metadataOf(list)).toEqual(['[Throws: no]', 2]);
});

/** Copied without a bound, each of them takes minutes, or all memory. */
test.each<[string, () => unknown]>([
  [
    'a graph in which all leads to all',
    () => {
      const nodes: any[] = Array.from({ length: 12 }, () => ({}));
      for (const node of nodes) for (const [place, other] of nodes.entries()) node[place] = other;
      return nodes[0];
    },
  ],
  [
    'what is shared again and again',
    () => {
      let shared: unknown = { a: 1 };
      for (let level = 0; level < 40; level++) shared = [shared, shared];
      return shared;
    },
  ],
  [
    'what is plain and shared',
    () => {
      const row = Array(5000).fill('x');
      return { rows: Array(5000).fill(row) };
    },
  ],
  ['a list with few members of its length', () => Object.assign([], { length: 2 ** 32 - 1 })],
  ['very many members', () => Object.fromEntries(Array.from({ length: 200_000 }, (_, n) => [`m${n}`, n]))],
  ['very many keys', () => new Map(Array.from({ length: 200_000 }, (_, n) => [`m${n}`, n]))],
  ['much text', () => ({ list: Array(1000).fill('x'.repeat(2 ** 20)) })],
])('%s has an end', (_, make) => {
  const text = JSON.stringify(line(make()));
  expect(text).toContain('[Too large');
  expect(text.length).toBeLessThan(48 * 2 ** 20);
});

test('errors have their causes, and what was added to them', () => {
  const cause = Object.assign(new TypeError('inner'), { code: 'E_INNER' });
  const error = new Error('outer', { cause });
  expect(metadataOf({ error })).toEqual({
    error: {
      name: 'Error',
      message: 'outer',
      stack: error.stack,
      cause: { name: 'TypeError', message: 'inner', stack: cause.stack, code: 'E_INNER' },
    },
  });
  const many = new AggregateError([cause, 1n], 'all');
  expect(metadataOf(many)).toMatchObject({ message: 'all', errors: [{ message: 'inner' }, '[BigInt: 1]'] });
  const loop: any = new Error('loop');
  loop.cause = loop;
  expect(metadataOf(loop)).toMatchObject({ cause: '[Circular]' });
});

test('__proto__ is a name as any other', () => {
  const metadata = JSON.parse('{"__proto__":{"polluted":true},"a":1}');
  metadata.big = 1n;
  const text = jsonOf(plainOf(metadata));
  expect(text).toContain('"__proto__":{"polluted":true}');
  expect(({} as any).polluted).toBeUndefined();
});

test('requests and responses are told by what matters of them, without secrets', async () => {
  const server = createServer((req, res) => {
    res.setHeader('set-cookie', 'secret');
    res.setHeader('x-fine', 'yes');
    res.statusCode = 201;
    told = metadataOf({ req, res });
    res.end();
  });
  let told: any;
  await new Promise<void>((resolve) => server.listen(0, resolve));
  const { port } = server.address() as AddressInfo;
  const headers = { authorization: 'secret', 'x-api-key': 'secret', accept: 'text/plain' };
  const sent = await new Promise<any>((resolve, reject) => {
    const req = get({ port, path: '/a?b=1', headers, agent: false }, (res) => {
      const config = { url: '/', headers: { Authorization: 'secret', accept: 'a' } };
      const error = Object.assign(new Error('refused'), { config, request: req });
      resolve(metadataOf({ req, res, error }));
      res.resume();
    }).on('error', reject);
  });
  server.close();
  const response = new Response(null, { headers: { 'set-cookie': 'secret', 'x-fine': 'yes' } });
  expect(metadataOf({ response })).toEqual({
    response: { statusCode: 200, headers: { 'set-cookie': '[Redacted]', 'x-fine': 'yes' } },
  });
  const request = new Request('http://example.org/a', { headers: { authorization: 'secret' } });
  expect(metadataOf({ request })).toEqual({
    request: { method: 'GET', url: 'http://example.org/a', headers: { authorization: '[Redacted]' } },
  });
  expect(told.req).toMatchObject({ method: 'GET', url: '/a?b=1', remotePort: expect.any(Number) });
  expect(told.req.headers).toMatchObject({ accept: 'text/plain', authorization: '[Redacted]' });
  expect(told.res).toEqual({ statusCode: 201, headers: { 'set-cookie': '[Redacted]', 'x-fine': 'yes' } });
  expect(JSON.stringify(told)).not.toContain('secret');
  // Those of a client too, alone and where an error has them.
  expect(sent.req).toMatchObject({ method: 'GET', url: expect.stringMatching(/^http:.*a[?]b=1$/) });
  expect(sent.req.headers).toMatchObject({ accept: 'text/plain', authorization: '[Redacted]' });
  expect(sent.res).toEqual({ statusCode: 201, headers: expect.objectContaining({ 'x-fine': 'yes' }) });
  expect(sent.error).toMatchObject({
    config: { url: '/', headers: { Authorization: '[Redacted]', accept: 'a' } },
    request: sent.req,
  });
  expect(JSON.stringify(sent)).not.toContain('secret');
  // What only looks like one is as it is.
  const plain = { method: 'GET', url: '/', headers: {}, big: 1n, other: 1 };
  expect(metadataOf(plain)).toEqual({ ...plain, big: '[BigInt: 1]' });
});

/** Whatever the metadata, by both ways in which lines are made: natively, and here as soon as a timestamp is special. */
test('native code makes the same lines', async () => {
  const { open, logs, entries } = place();
  const native = open({ onFull: 'block' });
  const other = join(logs, 'other.log');
  const whole = open({ logFile: other, onFull: 'block', timestamp: () => 'then' });
  const cases = fc.sample(
    fc.tuple(fc.string({ unit: 'binary' }), fc.anything({ maxDepth: 3, withBigInt: true })),
    2000,
  );
  for (const name of ['requestId', 'userId', 'service']) {
    cases.push([name, { [name]: { nested: [name, '}'] }, '"': '\\"', userId: undefined }]);
  }
  cases.push(['\ud800 half', {}], ['\0\u001f"\\\n\u007f', null], ['', undefined]);
  for (const [message, metadata] of cases) {
    native.info(message, metadata);
    whole.info(message, metadata);
  }
  await Promise.all([native.flush(), whole.flush()]);
  const [made, expected] = [entries(), entries(other)];
  expect(made.length).toBe(cases.length);
  for (const [index, entry] of made.entries()) {
    expect(entry.timestamp).toEqual(expect.any(Number));
    expect({ ...entry, timestamp: 'then' }).toEqual(expected[index]);
    expect(Object.keys(entry)).toEqual(Object.keys(expected[index]));
  }
});

test('long strings are cut, wherever they are', () => {
  const long = 'x'.repeat(9 * 2 ** 20);
  const { message, metadata } = line({ long, fine: 1 }, long);
  for (const text of [message, metadata.long]) {
    expect(text.length).toBeLessThan(8 * 2 ** 20 + 100);
    expect(text).toMatch(/x \[1048576 more units\]$/);
  }
  expect(metadata.fine).toBe(1);
});

test('what is lifted out of the metadata is in it too', () => {
  const metadata = { requestId: 'r', userId: 7, service: 's', other: 1 };
  expect(line(metadata)).toEqual({
    ...{ timestamp: 1, level: 'info', message: 'message', metadata },
    ...{ requestId: 'r', userId: 7, service: 's' },
  });
  expect(Object.keys(line(undefined))).toEqual(['timestamp', 'level', 'message']);
  expect(line('text').metadata).toBe('text');
});
