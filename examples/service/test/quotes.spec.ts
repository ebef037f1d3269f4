import { createRedis } from '../../../__test__/support/servers';
import type { Carrier } from '../src/services/delivery';
import { eventually, TestService } from './support';

jest.setTimeout(120_000);

const server = createRedis();
const services: TestService[] = [];

beforeAll(() => server.start());
afterAll(() => server.remove());

afterEach(async () => {
  await Promise.all(services.splice(0).map((service) => service.stop()));
  if (!server.isRunning) await server.start();
  await server.command('FLUSHALL');
});

const url = () => `redis://${server.config.host}:${server.config.port}`;
const quoteTo: Carrier = async (country) => ({ country, price: 390, days: 1 });
const fail: Carrier = () => Promise.reject(new Error('carrier is on strike'));

async function start(carrier: Carrier, options: { cacheRedisUrl?: string; service?: string }) {
  const { service, ...rest } = options;
  const thread = service === undefined ? {} : { thread: { number: 1, service } };
  const one = new TestService({ carrier, ...rest, ...thread });
  services.push(one);
  return one.start();
}

const quoteOf = async (service: TestService) => {
  const { status, body } = await service.get('/api/products/lamp/delivery?country=DE');
  return [status, body.estimated];
};

test('a quote that one thread got does for the others', async () => {
  const service = 'threads with quotes';
  const got = await start(quoteTo, { service });
  const other = await start(fail, { service });
  expect(await quoteOf(other)).toEqual([500, undefined]);
  expect(await quoteOf(got)).toEqual([200, undefined]);
  expect(await quoteOf(other)).toEqual([200, true]);
});

test('a quote that one instance got does for the others, and outlives it', async () => {
  const got = await start(quoteTo, { cacheRedisUrl: url() });
  expect(await quoteOf(got)).toEqual([200, undefined]);
  await got.stop();
  expect(await quoteOf(await start(fail, { cacheRedisUrl: url() }))).toEqual([200, true]);
});

test('while Redis is away each instance has its own', async () => {
  const got = await start(quoteTo, { cacheRedisUrl: url() });
  const other = await start(fail, { cacheRedisUrl: url() });
  await server.kill();
  expect(await quoteOf(got)).toEqual([200, undefined]);
  expect(await quoteOf(other)).toEqual([500, undefined]);
  await server.start();
  // A quote that is got once Redis has answered again is known to both.
  await eventually(async () => {
    await quoteOf(got);
    return (await quoteOf(other))[1] === true;
  });
});
