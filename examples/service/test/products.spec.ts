import type { Quote } from '../src/services/delivery';
import { ADMIN, CUSTOMER, TestService, until } from './support';

let service: TestService;

beforeEach(async () => {
  service = await new TestService().start();
});

afterEach(async () => {
  await service.stop();
  expect(service.errors).toEqual([]);
});

describe('listing and search', () => {
  test('a page of products in the order asked for', async () => {
    const { status, body } = await service.get('/api/products?category=Desk&sort=-price&pageSize=2');
    expect(status).toBe(200);
    expect(body).toMatchObject({ total: 5, page: 1, pageSize: 2 });
    expect(body.items.map(({ id }: { id: string }) => id)).toEqual(['keyboard', 'lamp']);
    const next = await service.get('/api/products?category=Desk&sort=-price&pageSize=2&page=3');
    expect(next.body.items.map(({ id }: { id: string }) => id)).toEqual(['notebook']);
  });

  test('a page beyond the last is empty', async () => {
    expect((await service.get('/api/products?page=999')).body).toMatchObject({ items: [], total: 25 });
  });

  test.each([
    ['creme', ['creme-brulee']],
    ['CRÈME brulee', ['creme-brulee']],
    ['抹茶', ['matcha-set']],
    ['fjallraven', ['flask']],
    ['<0.1', ['scale']],
    ['no such thing', []],
  ])('search for %j', async (text, ids) => {
    const { body } = await service.get(`/api/search?q=${encodeURIComponent(text)}`);
    expect(body.items.map(({ id }: { id: string }) => id)).toEqual(ids);
  });

  test('the second search comes from the cache, and a change of stock makes it fresh', async () => {
    const stock = async () => (await service.get('/api/search?q=ukulele')).body.items[0].stock;
    expect(await stock()).toBe(10);
    expect(await stock()).toBe(10);
    expect(service.context.catalogue.searches.getStats()).toMatchObject({ hits: 1, misses: 1 });
    service.context.catalogue.adjustStock('ukulele', -3);
    expect(await stock()).toBe(7);
  });

  test('categories with their sizes', async () => {
    const { body } = await service.get('/api/categories');
    expect(body.items).toContainEqual({ name: 'Music', products: 4 });
  });

  test.each([
    '/api/products?page=0',
    '/api/products?page=1.5',
    '/api/products?page=1e3',
    '/api/products?pageSize=101',
    '/api/products?sort=stock',
    '/api/products?sort=name&sort=price',
    '/api/products?q=lamp',
    '/api/search',
    '/api/search?q=%20',
    `/api/search?q=${'x'.repeat(101)}`,
    '/api/products/%E0%A4%A',
    '/api/products/lamp/delivery',
    '/api/products/lamp/delivery?country=D1',
    '/api/products/lamp/stock/watch?seconds=61',
  ])('%s is a 400 in JSON', async (path) => {
    const { status, body } = await service.get(path);
    expect(status).toBe(400);
    expect(body.error).toEqual({ code: 'BAD_REQUEST', message: expect.any(String) });
  });
});

describe('one product', () => {
  test('with its price for people', async () => {
    const { body } = await service.get('/api/products/moka-pot');
    expect(body).toMatchObject({ name: 'Moka pot, 6 cups', price: 3490, availability: 'in stock' });
    expect(body.priceText).toMatch(/^34,90\s€$/);
  });

  test.each([
    '/api/products/nothing',
    '/api/products/__proto__',
    '/api/nothing',
    '/nothing',
    '/assets/nothing',
  ])('%s is a 404 in JSON', async (path) => {
    const { status, body } = await service.get(path);
    expect([status, body.error.code]).toEqual([404, 'NOT_FOUND']);
  });

  test('delivery is priced by the carrier', async () => {
    expect((await service.get('/api/products/lamp/delivery?country=jp')).body).toEqual({
      product: 'lamp',
      country: 'JP',
      price: 2900,
      days: 9,
    });
    expect((await service.get('/api/products/lamp/delivery?country=AQ')).status).toBe(422);
  });
});

describe('stock', () => {
  const patch = (cookie: string | undefined, body: unknown, id = 'rope-60') =>
    service.request('PATCH', `/api/products/${id}/stock`, { body, ...(cookie !== undefined && { cookie }) });

  test('only an admin changes it, and never below zero', async () => {
    expect((await patch(undefined, { delta: 1 })).status).toBe(401);
    expect((await patch(await service.login(CUSTOMER), { delta: 1 })).status).toBe(403);
    const admin = await service.login(ADMIN);
    expect((await patch(admin, { delta: -8 })).body).toEqual({ id: 'rope-60', stock: 0 });
    expect((await patch(admin, { delta: -1 })).status).toBe(409);
    expect((await service.get('/api/products/rope-60')).body.availability).toBe('sold out');
    for (const body of [{}, { delta: '1' }, { delta: 0.5 }, { delta: 1, force: true }, [], null]) {
      expect((await patch(admin, body)).status).toBe(400);
    }
    expect((await patch(admin, { delta: 1 }, 'nothing')).status).toBe(404);
  });

  test('a refresh of the catalogue keeps the stock', async () => {
    service.context.catalogue.adjustStock('lamp', -5);
    await service.context.catalogue.refresh();
    expect((await service.get('/api/products/lamp')).body.stock).toBe(10);
  });

  test('a watcher is answered when it changes, and leaves no timer behind', async () => {
    const answer = service.get('/api/products/lamp/stock/watch');
    await until(() => service.context.stockWatch.waiting === 1);
    expect(service.requestTimers.getStats().timeouts).toBe(2);
    service.context.catalogue.adjustStock('flask', 1);
    service.context.catalogue.adjustStock('lamp', 1);
    expect((await answer).body).toEqual({ id: 'lamp', changed: true, stock: 16 });
    await until(() => service.requestTimers.getStats().total === 0);
    expect(service.context.stockWatch.waiting).toBe(0);
  });

  test('a watcher who leaves is forgotten', async () => {
    const leaving = new AbortController();
    const answer = fetch(`${service.url}/api/products/lamp/stock/watch`, { signal: leaving.signal });
    await until(() => service.context.stockWatch.waiting === 1);
    leaving.abort();
    await expect(answer).rejects.toThrow();
    await until(() => service.context.stockWatch.waiting === 0);
    await until(() => service.requestTimers.getStats().total === 0);
    expect(service.context.metrics.snapshot().byStatus).toEqual({ '4xx': 1 });
  });
});

describe('failures', () => {
  test('a carrier that never answers costs a 504, not a hanging request', async () => {
    const slow = await new TestService({
      requestTimeout: 20,
      carrier: () => new Promise<Quote>(() => {}),
    }).start();
    const { status, body } = await slow.get('/api/products/lamp/delivery?country=DE');
    expect([status, body.error.code]).toEqual([504, 'TIMEOUT']);
    await slow.stop();
    expect(slow.errors).toEqual([]);
  });

  test('a carrier that answers too late disturbs nothing', async () => {
    let answer: (quote: Quote) => void = () => {};
    const carrier = () => new Promise<Quote>((resolve) => (answer = resolve));
    const slow = await new TestService({ requestTimeout: 20, carrier }).start();
    expect((await slow.get('/api/products/lamp/delivery?country=DE')).status).toBe(504);
    answer({ country: 'DE', price: 1, days: 1 });
    await slow.stop();
    expect(slow.errors).toEqual([]);
  });

  test('an unexpected error is reported, and hidden from clients', async () => {
    const failure = new Error('carrier password is hunter2');
    const broken = await new TestService({ carrier: () => Promise.reject(failure) }).start();
    const { status, text } = await broken.get('/api/products/lamp/delivery?country=DE');
    expect(status).toBe(500);
    expect(text).not.toContain('hunter2');
    expect(broken.errors).toEqual([failure]);
    await broken.stop();
  });
});
