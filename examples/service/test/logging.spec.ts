import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TestService } from './support';

let folder: string;
let catalogue: TestService;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'catalogue-'));
  catalogue = await new TestService({ logFile: join(folder, 'logs', 'app.log') }).start();
});

afterEach(async () => {
  await catalogue.stop();
  rmSync(folder, { recursive: true });
});

const lines = () =>
  readFileSync(join(folder, 'logs', 'app.log'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

test('each request is a line, with the id that its client got', async () => {
  const answers = [await catalogue.get('/api/products'), await catalogue.get('/api/nothing?secret=1')];
  const named = await fetch(`${catalogue.url}/health`, { headers: { 'x-request-id': 'from-a-proxy' } });
  await named.text();
  const bad = await fetch(`${catalogue.url}/health`, { headers: { 'x-request-id': 'not "an" id' } });
  await bad.text();
  await catalogue.stop();
  expect(
    lines().map(({ message, metadata: { method, path, status } }) => [message, method, path, status]),
  ).toEqual([
    ['request', 'GET', '/api/products', 200],
    ['request', 'GET', '/api/nothing', 404],
    ['request', 'GET', '/health', 200],
    ['request', 'GET', '/health', 200],
  ]);
  expect(lines().map(({ requestId }) => requestId)).toEqual(
    [...answers, named, bad].map(({ headers }) => headers.get('x-request-id')),
  );
  expect(lines()[2].requestId).toBe('from-a-proxy');
  expect(lines()[3].requestId).toMatch(/^[\da-f-]{36}$/);
  for (const line of lines()) {
    expect(line).toMatchObject({ level: 'info', service: 'catalogue', metadata: { ip: '127.0.0.1' } });
    expect(line.metadata.duration).toBeGreaterThan(0);
  }
});

test('what the service reports is in the log, with its cause', async () => {
  catalogue.context.report(new Error('on purpose', { cause: new Error('inside') }));
  await catalogue.stop();
  expect(lines()).toEqual([
    expect.objectContaining({
      level: 'error',
      metadata: expect.objectContaining({
        error: expect.objectContaining({
          message: 'on purpose',
          cause: expect.objectContaining({ message: 'inside' }),
        }),
      }),
    }),
  ]);
  expect(catalogue.errors).toHaveLength(1);
});

test('stopping writes the lines of all requests that were answered', async () => {
  await Promise.all(Array.from({ length: 500 }, () => catalogue.get('/health')));
  await catalogue.stop();
  expect(lines()).toHaveLength(500);
});
