import { readConfig } from '../src/config';
import { html } from '../src/http/html';
import { RequestMetrics } from '../src/services/metrics';
import { TestService, until } from './support';

let service: TestService;

beforeEach(async () => {
  service = await new TestService().start();
});

afterEach(async () => {
  await service.stop();
  expect(service.errors).toEqual([]);
});

test('health, and readiness until the service stops', async () => {
  expect((await service.get('/health')).body).toEqual({ status: 'ok', uptimeSeconds: expect.any(Number) });
  expect((await service.get('/ready')).body).toEqual({ ready: true });
  service.context.stopping = true;
  const stopping = await service.get('/ready');
  expect([stopping.status, stopping.body]).toEqual([503, { ready: false }]);
});

test('metrics count requests and know their latencies', async () => {
  await service.get('/api/products/lamp');
  await service.get('/api/products/nothing');
  await until(() => service.context.metrics.snapshot().inFlight === 0);
  const { body } = await service.get('/api/metrics');
  expect(body).toMatchObject({
    requests: 2,
    inFlight: 1,
    errors: 0,
    byStatus: { '2xx': 1, '4xx': 1 },
    products: 25,
  });
  const { samples, min, p50, p99, max, mean } = body.latencyMs;
  expect(samples).toBe(2);
  expect(min).toBeGreaterThan(0);
  expect([min, p50, mean, p99, max]).toEqual([min, p50, mean, p99, max].sort((a, b) => a - b));
});

test('a roll-up covers what came since the one before', () => {
  const metrics = new RequestMetrics();
  const answer = (status: number) => {
    metrics.started();
    metrics.finished(1, status);
  };
  answer(200);
  answer(500);
  metrics.rollUp();
  answer(200);
  metrics.rollUp();
  for (let more = 0; more < 60; more++) metrics.rollUp();
  expect(metrics.history.overwritten).toBe(2);
  const fresh = new RequestMetrics();
  expect(fresh.snapshot().latencyMs).toEqual({
    samples: 0,
    min: null,
    mean: null,
    max: null,
    p50: null,
    p90: null,
    p99: null,
  });
});

test('roll-ups in order', () => {
  const metrics = new RequestMetrics();
  for (const status of [200, 503]) {
    metrics.started();
    metrics.finished(1, status);
    metrics.rollUp();
  }
  expect(metrics.history.getAll().map(({ requests, errors }) => [requests, errors])).toEqual([
    [1, 0],
    [1, 1],
  ]);
});

describe('the index page', () => {
  test('shows every product, whatever its script', async () => {
    const { status, headers, text } = await service.get('/');
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(headers.get('content-security-policy')).toContain("default-src 'self'");
    expect(text.match(/<li>/g)).toHaveLength(25);
    for (const name of ['抹茶 matcha set', 'Crème brûlée dishes', 'ʻUkulele, concert'])
      expect(text).toContain(name);
    expect(text).toContain('Kitchen scale &lt;0.1 g');
    expect(text).toContain('Weighs flour &amp; saffron alike.');
  });

  test('echoes a search without trusting it', async () => {
    const attack = `"><script>alert('1')</script>`;
    const { status, text } = await service.get(`/?q=${encodeURIComponent(attack)}`);
    expect(status).toBe(200);
    expect(text).not.toContain(attack);
    expect(text).toContain('&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;');
    expect(text).toContain('0 products');
  });

  test('its assets are served', async () => {
    expect((await service.get('/assets/page.css')).headers.get('content-type')).toContain('text/css');
    expect((await service.get('/assets/live.js')).headers.get('content-type')).toContain('javascript');
    expect((await service.get('/assets/..%2fpackage.json')).status).toBe(403);
  });

  test('a template escapes values, keeps HTML and joins arrays', () => {
    expect(html`<p title="${'"'}">${['<', html`<b>${'&'}</b>`]}</p>`.text).toBe(
      '<p title="&quot;">&lt;<b>&amp;</b></p>',
    );
  });
});

describe('configuration', () => {
  test('defaults', () => {
    expect(readConfig({})).toEqual({ port: 3000, host: '127.0.0.1', requestTimeout: 5000 });
    expect(readConfig({ PORT: '0' }).port).toBe(0);
  });

  test.each(['-1', '65536', '80a', '1e3', ' '])('PORT=%j is refused by name', (port) => {
    expect(() => readConfig({ PORT: port })).toThrow(/^PORT must be a whole number from 0 to 65535/);
  });
});
