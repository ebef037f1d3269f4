import type { Carrier, Quote } from '../src/services/delivery';
import { ADMIN, TestService } from './support';

let service: TestService | undefined;

afterEach(async () => {
  await service?.stop();
});

/** A service whose carrier does as told, and counts how often it was asked. */
async function start(requestTimeout?: number) {
  const carrier = { asked: 0, answer: (async () => undefined) as Carrier };
  const asked: Carrier = (country, context) => {
    carrier.asked++;
    return carrier.answer(country, context);
  };
  service = await new TestService({
    carrier: asked,
    ...(requestTimeout !== undefined && { requestTimeout }),
  }).start();
  const { get, errors, context } = service;
  const delivery = (country: string) => get.call(service, `/api/products/lamp/delivery?country=${country}`);
  return { carrier, delivery, errors, breaker: context.delivery.breaker, service };
}

const quoteTo = async (country: string): Promise<Quote> => ({ country, price: 390, days: 1 });
const fail = () => Promise.reject(new Error('carrier is on strike'));

test('a carrier that fails: an earlier quote does, and says so', async () => {
  const { carrier, delivery, errors } = await start();
  carrier.answer = quoteTo;
  const quote = { product: 'lamp', country: 'DE', price: 390, days: 1 };
  expect((await delivery('DE')).body).toEqual(quote);
  carrier.answer = fail;
  const { status, body } = await delivery('DE');
  expect([status, body]).toEqual([200, { ...quote, estimated: true }]);
  expect(errors).toEqual([]);
  carrier.answer = quoteTo;
  expect((await delivery('DE')).body).toEqual(quote);
});

test('where it has said that it delivers nothing any more, an earlier quote does not do', async () => {
  const { carrier, delivery } = await start();
  carrier.answer = quoteTo;
  await delivery('DE');
  carrier.answer = async () => undefined;
  expect((await delivery('DE')).status).toBe(422);
  carrier.answer = fail;
  expect((await delivery('DE')).status).toBe(500);
});

test('a carrier that is late: an earlier quote in time, and it is told that nobody waits', async () => {
  const { carrier, delivery, errors } = await start(500);
  carrier.answer = quoteTo;
  await delivery('DE');
  let isGivenUp = false;
  carrier.answer = (_country, { signal }) =>
    new Promise(() => signal.addEventListener('abort', () => (isGivenUp = true)));
  expect((await delivery('DE')).body.estimated).toBe(true);
  expect(isGivenUp).toBe(true);
  const { status, body } = await delivery('FR');
  expect([status, body.error]).toEqual([
    504,
    { code: 'TIMEOUT', message: 'The carrier did not answer in time' },
  ]);
  expect(errors).toEqual([]);
});

test('one that fails all the time is left alone, and asked again later', async () => {
  const { carrier, delivery, errors, breaker, service } = await start();
  carrier.answer = quoteTo;
  await delivery('DE');
  carrier.answer = fail;
  while (breaker.closed) expect((await delivery('FR')).status).toBe(500);
  const { asked } = carrier;
  const { status, body, headers } = await delivery('FR');
  expect([status, body.error.code]).toEqual([503, 'UNAVAILABLE']);
  expect(Number(headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  expect(Number(headers.get('retry-after'))).toBeLessThanOrEqual(10);
  expect((await delivery('DE')).body).toMatchObject({ price: 390, estimated: true });
  expect(carrier.asked).toBe(asked);
  expect((await service.get('/api/metrics')).body.carrier).toBe('open');
  // What nobody could be answered, and once that it is left alone.
  expect(errors).toHaveLength(asked - 1 + 1);
  expect(errors).toContainEqual(
    expect.objectContaining({
      message: 'The carrier fails, and is left alone for a while',
      cause: expect.objectContaining({ message: 'carrier is on strike' }),
    }),
  );

  carrier.answer = quoteTo;
  breaker.probe();
  expect((await delivery('FR')).body).toEqual({ product: 'lamp', country: 'FR', price: 390, days: 1 });
  expect((await service.get('/api/metrics')).body.carrier).toBe('closed');
});

test('that it delivers nothing to a country is no failure', async () => {
  const { delivery, breaker } = await start();
  for (let request = 0; request < 30; request++) expect((await delivery('AQ')).status).toBe(422);
  expect(breaker.state).toBe('closed');
});

test('an admin sees how it stands', async () => {
  const { carrier, delivery, service } = await start();
  carrier.answer = quoteTo;
  await delivery('DE');
  expect((await service.get('/api/admin/carrier')).status).toBe(401);
  const { body } = await service.get('/api/admin/carrier', await service.login(ADMIN));
  expect(body).toMatchObject({
    ...{ name: 'carrier', state: 'closed', fires: 1, successes: 1, failures: 0, fallbacks: 0 },
    lately: { fires: 1, successes: 1 },
  });
});
