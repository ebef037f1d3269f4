import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { useLimiters, useRedis } from './support/redis';
import { freePort } from './support/servers';
import { useSpans, within } from './support/spans';
import { useTiers } from './support/tiered';

const server = useRedis();
// Before the limiters, whose end waits for all connections to be closed.
const { fleet } = useTiers(() => server.config);
const limiterOf = useLimiters(server);
const { enable, spans, told } = useSpans();

test('checks that Redis decides, and what else it is asked', async () => {
  enable();
  const limiter = limiterOf({ redis: server.config, maxRequests: 1 });
  await within('request', async () => {
    await limiter.check('a');
    await limiter.check('a', { cost: 1 });
  });
  // A denial that is known here asks nobody.
  await limiter.check('a');
  await limiter.peek('a');
  await limiter.reset('a');
  const asked = told().filter(({ name }) => name !== 'request');
  expect(
    asked.map(({ name, parent, attributes }) => [name, parent, attributes['keelson.rate_limiter.allowed']]),
  ).toEqual([
    ['keelson.rate_limiter.check', 'request', true],
    ['keelson.rate_limiter.check', 'request', false],
    ['keelson.rate_limiter.peek', undefined, false],
    ['keelson.rate_limiter.reset', undefined, true],
  ]);
  expect(asked[0]).toMatchObject({
    kind: SpanKind.CLIENT,
    attributes: { 'db.system.name': 'redis' },
    status: SpanStatusCode.UNSET,
  });
});

test('checks in memory have none', async () => {
  enable();
  const limiter = limiterOf({ maxRequests: 1 });
  await limiter.check('a');
  limiter.checkSync('b');
  expect(spans()).toEqual([]);
});

test('a check that Redis does not answer is decided all the same, and its span says why', async () => {
  enable();
  const limiter = limiterOf({
    redis: { host: '127.0.0.1', port: await freePort() },
    onStoreError: 'open',
    storeTimeout: 500,
  });
  expect(await limiter.check('a')).toMatchObject({ allowed: true });
  expect(spans()).toMatchObject([
    {
      name: 'keelson.rate_limiter.check',
      attributes: { 'error.type': 'ERR_KEELSON_REDIS' },
      status: { code: SpanStatusCode.ERROR },
    },
  ]);
});

test('a load that one process of a fleet makes for all, in the span of its call', async () => {
  enable();
  const { cache } = (await fleet(1))[0]!;
  const loader = () => within('child', async () => 'value');
  expect(await within('request', () => cache.getOrLoad('a', loader))).toBe('value');
  expect(told().map(({ name, parent }) => [name, parent])).toEqual([
    ['child', 'keelson.cache.load'],
    ['keelson.cache.load', 'request'],
    ['request', undefined],
  ]);
});
