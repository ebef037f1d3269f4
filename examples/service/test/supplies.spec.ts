import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { Writable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import type { Response } from 'express';
import { sendJson } from '../src/http/json';
import { destroyJsonWorkerPool, getJsonWorkerPool } from '../src/lib/utilities/performance/jsonWorkerPool';
import { ADMIN, CUSTOMER, TestService, until } from './support';

const MEGABYTE = 2 ** 20;

jest.setTimeout(60_000);

let service: TestService;
let cookie: string;

beforeEach(async () => {
  service = await new TestService().start();
  cookie = await service.login(ADMIN);
});

afterEach(async () => {
  jest.restoreAllMocks();
  await service.stop();
  await destroyJsonWorkerPool();
  expect(service.errors).toEqual([]);
});

const product = (id: string, more: object = {}) => ({
  id,
  name: `Thé n° ${id}`,
  category: 'Tea',
  price: 1290,
  stock: 5,
  description: '抹茶, \u{1f375} and “quotes”.\n',
  ...more,
});

/** One in a hundred is a product, the others are of the supplier's own kind. */
function record(index: number) {
  if (index % 100 === 0) return product(`tea-${index}`);
  const tags = ['new', 'sale', 'Größe XL'].slice(index % 4);
  return { id: index, uuid: `${index}`.repeat(4), active: index % 3 === 0, tags, at: { lat: index / 7 } };
}

const documentOf = (items: unknown[]) => ({ version: 3, items, complete: true });

/** A document of at least `bytes` bytes, as text. */
function documentText(bytes: number): { text: string; count: number } {
  const items: unknown[] = [];
  for (let size = 0; size < bytes; size += JSON.stringify(items.at(-1)).length)
    items.push(record(items.length));
  return { text: JSON.stringify(documentOf(items)), count: items.length };
}

async function send(body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) {
  const response = await fetch(`${service.url}/api/import`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', cookie, ...headers },
    body,
  });
  return { status: response.status, body: (await response.json()) as any };
}

const take = (...items: unknown[]) => send(JSON.stringify(documentOf(items)));
const message = async (answer: ReturnType<typeof send>) => {
  const { status, body } = await answer;
  expect(body).toEqual({ error: { code: expect.any(String), message: expect.any(String) } });
  return [status, body.error.message];
};

/** Begins to post a body of which only the headers are sent yet. */
function post(length: number): ClientRequest {
  const sent = request(`${service.url}/api/import`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'content-length': length, cookie },
  });
  sent.on('error', () => {});
  sent.flushHeaders();
  return sent;
}

const inFlight = () => service.context.metrics.snapshot().inFlight;

describe('large documents', () => {
  const { text, count } = documentText(10 * MEGABYTE);

  test('10 MB go in and come out as they were', async () => {
    const products = Math.ceil(count / 100);
    expect(await send(text)).toEqual({
      status: 200,
      body: { items: count, created: count, updated: 0, products },
    });
    const answer = await service.get('/api/export', cookie);
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(answer.text === text).toBe(true);
    const again = await send(text);
    expect(again.body).toEqual({ items: count, created: 0, updated: count, products });
    expect((await service.get('/api/metrics')).body.products).toBe(25 + products);
    expect((await service.get('/api/products/tea-100')).body.name).toBe('Thé n° tea-100');
  });

  test('other requests are answered while they are parsed', async () => {
    const pool = getJsonWorkerPool();
    let parsed = 0;
    const original = pool.openDocument.bind(pool);
    jest.spyOn(pool, 'openDocument').mockImplementation(async (bytes, options) => {
      const document = await original(bytes, options);
      parsed++;
      return document;
    });
    const imported = Promise.all([send(text), send(text), send(text)]);
    await until(() => pool.metrics().active > 0);
    const answers = await Promise.all(
      ['/health', '/api/products/lamp', '/api/categories'].map(async (path) => {
        const { status } = await service.get(path);
        return { status, allParsed: parsed === 3 };
      }),
    );
    expect(answers).toEqual(Array(3).fill({ status: 200, allParsed: false }));
    expect((await imported).map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(parsed).toBe(3);
  });

  test('four at once are all taken', async () => {
    const answers = await Promise.all([1, 2, 3, 4].map(() => send(text)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    const created = answers.map(({ body }) => body.created).reduce((a, b) => a + b);
    expect(created).toBe(count);
  });

  test('a client that leaves while its body is parsed frees the pool', async () => {
    const pool = getJsonWorkerPool();
    const sent = post(Buffer.byteLength(text));
    sent.end(text);
    await until(() => pool.metrics().active === 1);
    sent.destroy();
    await until(() => pool.metrics().active === 0 && inFlight() === 0);
    expect(pool.metrics().errors.aborted).toBe(1);
    expect((await service.get('/api/export', cookie)).body.items).toEqual([]);
    expect(service.requestTimers.getStats().total).toBe(0);
  });

  test('no more than 32 are in memory: who comes later waits until there is room, and leaves if it likes', async () => {
    const slow = Array.from({ length: 32 }, () => post(100));
    await until(() => inFlight() === 32);
    let answered = false;
    const impatient = post(100);
    const patient = take({ id: 1 }).finally(() => (answered = true));
    await until(() => inFlight() === 34);
    impatient.destroy();
    await until(() => inFlight() === 33);
    expect((await service.get('/health')).status).toBe(200);
    expect(answered).toBe(false);
    slow.pop()!.destroy();
    expect((await patient).status).toBe(200);
    for (const request of slow) request.destroy();
    await until(() => inFlight() === 0);
    expect((await Promise.all([2, 3].map((id) => take({ id })))).map(({ status }) => status)).toEqual([
      200, 200,
    ]);
  });

  test('a client that leaves in the middle of its body is forgotten', async () => {
    const sent = post(Buffer.byteLength(text));
    sent.write(text.slice(0, MEGABYTE));
    await until(() => inFlight() === 1);
    sent.destroy();
    await until(() => inFlight() === 0 && service.requestTimers.getStats().total === 0);
    expect(getJsonWorkerPool().metrics()).toMatchObject({ active: 0, queued: 0 });
  });

  test('a client that leaves in the middle of an export ends the writing', async () => {
    await send(text);
    const chunks = watchChunks();
    const sent = request(`${service.url}/api/export`, { headers: { cookie } }).end();
    sent.on('error', () => {});
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    response.on('error', () => {});
    await once(response, 'data');
    response.destroy();
    await until(() => inFlight() === 0 && chunks.ended);
    expect(chunks.bytes).toBeLessThan(Buffer.byteLength(text));
  });
});

/** Notes what is taken of the JSON that the service writes in chunks. */
function watchChunks() {
  const seen = { bytes: 0, chunks: 0, ended: false };
  const pool = getJsonWorkerPool();
  const original = pool.stringify.bind(pool) as (value: unknown, options: object) => AsyncIterable<Buffer>;
  async function* watched(value: unknown, options: object) {
    try {
      for await (const chunk of original(value, options)) {
        seen.chunks++;
        seen.bytes += chunk.length;
        yield chunk;
      }
    } finally {
      seen.ended = true;
    }
  }
  jest.spyOn(pool, 'stringify').mockImplementation(watched as never);
  return seen;
}

test('an export waits for a client that does not read', async () => {
  const chunks = watchChunks();
  const waiting: (() => void)[] = [];
  const slow = new Writable({
    highWaterMark: 1,
    write: (_chunk, _encoding, done) => void waiting.push(done),
  });
  const sending = sendJson(
    Object.assign(slow, { type: () => {} }) as unknown as Response,
    documentOf(Array.from({ length: 20_000 }, (_, index) => record(index))),
  );
  await until(() => waiting.length === 1);
  for (let turn = 0; turn < 1000; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(chunks).toMatchObject({ chunks: 1, ended: false });
  slow.destroy();
  await sending;
  await until(() => chunks.ended);
});

describe('imports', () => {
  test('update what is known, and keep its stock and the order', async () => {
    expect((await take(product('sencha'), { id: 7, note: 'a' }, { id: '7' })).body).toEqual({
      items: 3,
      created: 3,
      updated: 0,
      products: 1,
    });
    service.context.catalogue.adjustStock('sencha', -2);
    const sencha = product('sencha', { price: 990, stock: 100, origin: 'Uji' });
    expect((await take({ id: 8 }, { id: 7, note: 'b' }, sencha)).body).toEqual({
      items: 3,
      created: 1,
      updated: 2,
      products: 1,
    });
    const { items } = (await service.get('/api/export', cookie)).body;
    expect(items).toEqual([sencha, { id: 7, note: 'b' }, { id: '7' }, { id: 8 }]);
    await service.context.catalogue.refresh();
    const { body } = await service.get('/api/products/sencha');
    expect([body.price, body.stock, body.origin]).toEqual([990, 3, undefined]);
  });

  test('are found at once', async () => {
    const search = async () => (await service.get('/api/search?q=hojicha')).body.total;
    expect(await search()).toBe(0);
    await take(product('roasted', { name: 'Hōjicha' }));
    expect(await search()).toBe(1);
  });

  test('may be compressed', async () => {
    const body = gzipSync(JSON.stringify(documentOf([{ id: 1 }])));
    expect(await send(new Uint8Array(body), { 'content-encoding': 'gzip' })).toMatchObject({ status: 200 });
  });

  test('keep names that mean something to JavaScript', async () => {
    const text = '{"version":3,"items":[{"id":"__proto__","__proto__":{"admin":true}}],"complete":true}';
    expect((await send(text)).status).toBe(200);
    expect((await service.get('/api/export', cookie)).text).toBe(text);
  });

  test('are for admins, who are asked for before the body is read', async () => {
    const parse = jest.spyOn(getJsonWorkerPool(), 'openDocument');
    const customer = await service.login(CUSTOMER);
    parse.mockClear();
    for (const [method, path] of [
      ['POST', '/api/import'],
      ['GET', '/api/export'],
    ] as const) {
      const body = method === 'POST' ? documentOf([]) : undefined;
      expect((await service.request(method, path, { body })).status).toBe(401);
      expect((await service.request(method, path, { body, cookie: customer })).status).toBe(403);
    }
    expect(parse).not.toHaveBeenCalled();
  });
});

describe('refused, and nothing changed', () => {
  afterEach(async () => {
    expect((await service.get('/api/export', cookie)).body.items).toEqual([]);
    expect(service.context.catalogue.size).toBe(25);
  });

  test.each([
    ['a list', [], /must be a JSON object/],
    ['another version', { version: 2, items: [], complete: true }, /"version" must be 3/],
    ['no list', { version: 3, items: {}, complete: true }, /"items" must be a list/],
    ['half of one', { version: 3, items: [] }, /"complete" must be true/],
    ['more than that', { ...documentOf([]), force: true }, /Unknown member "force"/],
    ['an item without an id', documentOf([{ id: 1 }, { name: 'x' }]), /items\[1\] must have an "id"/],
    ['an empty item', documentOf([null]), /items\[0\] must have an "id"/],
    [
      'a product without a name',
      documentOf([product('a', { name: '' })]),
      /items\[0\]: "name" must be a text/,
    ],
    [
      'a product for less than nothing',
      documentOf([product('a'), product('b', { price: -1 })]),
      /items\[1\]: "price"/,
    ],
    [
      'a product with a number for an id',
      documentOf([{ ...product('a'), id: 1 }]),
      /items\[0\]: "id" must be a text/,
    ],
  ])('%s', async (_name, body, expected) => {
    expect(await message(send(JSON.stringify(body)))).toEqual([400, expect.stringMatching(expected)]);
  });

  test.each([
    ['early', '{\n  "version": 3,\n  "items": [{]\n}', 3, 14],
    ['late', `{"version":3,\n"items":[${'{"id":1},\n'.repeat(20_000)}{"id":01}]}`, 20_002, 8],
  ])('malformed, %s: line and column are told', async (_where, text, line, column) => {
    const expected = expect.stringMatching(
      new RegExp(`^The body is not JSON: .+ \\(line ${line} column ${column}\\)$`),
    );
    expect(await message(send(text))).toEqual([400, expected]);
  });

  test.each([
    ['cut off', '{"version":3,"items":['],
    ['a byte order mark', '\ufeff{}'],
    ['not UTF-8 within', new Uint8Array([0x7b, 0xff, 0x7d])],
  ])('malformed: %s', async (_what, text) => {
    expect(await message(send(text))).toEqual([400, expect.stringMatching(/^The body is not JSON: /)]);
  });

  test('too large: by its length, and by what comes of it', async () => {
    const spaces = Buffer.alloc(33 * MEGABYTE, ' ');
    expect(await message(send(new Uint8Array(spaces)))).toEqual([413, expect.any(String)]);
    const bomb = new Uint8Array(gzipSync(spaces));
    expect(await message(send(bomb, { 'content-encoding': 'gzip' }))).toEqual([413, expect.any(String)]);
  });

  test('too deep, however deep', async () => {
    for (const depth of [33, 1_000_000]) {
      const text = `{"version":3,"items":${'['.repeat(depth)}${']'.repeat(depth)},"complete":true}`;
      expect(await message(send(text))).toEqual([413, expect.stringContaining('deeper than 32')]);
    }
  });

  test('in another character set', async () => {
    const type = 'application/json; charset=latin1';
    expect(await message(send('{}', { 'content-type': type }))).toEqual([
      415,
      expect.stringContaining('latin1'),
    ]);
  });
});

test('an admin sees what the pool does', async () => {
  await take({ id: 1 });
  const { body } = await service.get('/api/admin/json', cookie);
  expect(body).toMatchObject({ queued: 0, active: 0, processed: expect.any(Number), errors: { syntax: 0 } });
});
