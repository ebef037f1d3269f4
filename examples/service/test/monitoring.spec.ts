import { TestService } from './support';

let service: TestService;

async function start(options: ConstructorParameters<typeof TestService>[0] = {}): Promise<void> {
  service = await new TestService(options).start();
}

afterEach(async () => {
  await service.stop();
  expect(service.errors).toEqual([]);
});

test('probes: alive, started and ready, until it stops', async () => {
  await start();
  for (const path of ['/livez', '/startupz', '/readyz']) {
    const { status, headers, text } = await service.get(path);
    expect([path, status, headers.get('content-type')]).toEqual([path, 200, 'application/health+json']);
    expect(JSON.parse(text).status).toBe('pass');
  }
  // A request that is under way holds the shutdown up, and the probes are still answered.
  const held = service.get('/api/products/lamp/stock/watch?seconds=60');
  while (service.context.stockWatch.waiting === 0) await service.get('/livez');
  const agent = service.get('/livez');
  const stopped = service.service.stop();
  expect((await held).status).toBe(200);
  expect((await agent).status).toBe(200);
  await stopped;
  expect((await service.context.health.ready()).status).toBe('fail');
});

test('Prometheus gets what utilities and routes count', async () => {
  await start();
  const before = (await service.get('/metrics')).text;
  await service.get('/api/products/lamp');
  await service.get('/api/products/lamp');
  const { headers, text } = await service.get('/metrics');
  expect(headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  const value = (page: string, series: string) =>
    Number(
      page
        .split('\n')
        .find((line) => line.startsWith(`${series} `))
        ?.slice(series.length) ?? 0,
    );
  const route = 'keelson_router_requests_total{http_route="/api/products/:id",http_request_method="GET"}';
  expect(value(text, route) - value(before, route)).toBe(2);
  expect(text).toMatch(
    /^keelson_shared_cache_lookups_total\{name="catalogue [^"]+ products",result="hit"\} /m,
  );
  expect(text).toMatch(/^keelson_breaker_state\{name="[^"]+",state="closed"\} /m);
  expect(text).toMatch(/^db_client_connection_count\{/m);
});

test('with a token, metrics are for whom has it', async () => {
  await start({ metricsToken: 'secret' });
  expect((await service.get('/metrics')).status).toBe(401);
  const answer = await fetch(`${service.url}/metrics`, { headers: { authorization: 'Bearer secret' } });
  expect(answer.status).toBe(200);
});

test('autoscalers get replicas where it is known what one bears', async () => {
  await start();
  expect((await service.get('/replicas')).status).toBe(404);
  await service.stop();
  await start({ replicaCapacity: 100 });
  // No interval is over yet.
  expect((await service.get('/replicas')).status).toBe(503);
  expect(service.context.scaling!.metrics()).toMatchObject({ capacity: 100, connected: undefined });
});

test('the dashboard shows itself to all on this machine, and figures to who knows the token', async () => {
  await start({ dashboardToken: 'a token of this test'.replaceAll(' ', '-') });
  const page = await service.get('/_keelson/');
  expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
  const { dashboard } = service.context;
  expect(dashboard.url(service.url)).toBe(`${service.url}/_keelson/#token=a-token-of-this-test`);
});
