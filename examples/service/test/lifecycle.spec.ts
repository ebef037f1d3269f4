import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { ADMIN } from './support';

// The process as users run it: the compiled service.
const MAIN = join(__dirname, '..', 'dist', 'main.js');

const running: ChildProcess[] = [];

afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL');
});

function launch(env: Record<string, string>) {
  const child = spawn(process.execPath, [MAIN], { env: { ...process.env, ...env } });
  running.push(child);
  let output = '';
  const printed = new Promise<string>((resolve) => {
    const collect = (chunk: Buffer) => {
      output += chunk;
      const url = /http:\/\/\S+/.exec(output)?.[0];
      if (url) resolve(url);
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
  });
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal, output }));
  return { child, printed, ended };
}

async function logIn(url: string): Promise<string> {
  const response = await fetch(`${url}/api/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(ADMIN),
  });
  return response.headers.get('set-cookie')!.split(';')[0]!;
}

test.each(['SIGTERM', 'SIGINT'] as const)(
  '%s: held requests are answered and the process ends by itself',
  async (signal) => {
    const { child, printed, ended } = launch({ PORT: '0' });
    const url = await printed;
    const held = fetch(`${url}/api/products/lamp/stock/watch?seconds=60`);
    const watchers = async () => (await fetch(`${url}/api/metrics`)).json() as Promise<{ inFlight: number }>;
    // The request that asks is in flight itself.
    while ((await watchers()).inFlight < 2);
    child.kill(signal);
    const answer = await held;
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({ id: 'lamp', changed: false, stock: 15 });
    const end = await ended;
    expect([end.code, end.signal]).toEqual([0, null]);
    expect(end.output).toMatch(/closed\n$/);
  },
);

test('a large body in flight is answered, and the process ends by itself', async () => {
  const { child, printed, ended } = launch({ PORT: '0' });
  const url = await printed;
  const headers = { 'content-type': 'application/json', cookie: await logIn(url) };
  const items = Array.from({ length: 100_000 }, (_, id) => ({ id, text: 'of no importance' }));
  const sent = request(`${url}/api/import`, { method: 'POST', headers });
  const text = JSON.stringify({ version: 3, items, complete: true });
  sent.write(text.slice(0, text.length / 2));
  const inFlight = async () => (await (await fetch(`${url}/api/metrics`)).json()) as { inFlight: number };
  while ((await inFlight()).inFlight < 2);
  child.kill('SIGTERM');
  sent.end(text.slice(text.length / 2));
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  expect(response.statusCode).toBe(200);
  response.resume();
  expect(await ended).toMatchObject({ code: 0, signal: null, output: expect.stringMatching(/closed\n$/) });
}, 60_000);

test('a port in use is told in one line', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { ended } = launch({ PORT: String((other.address() as AddressInfo).port) });
  const { code, output } = await ended;
  expect(code).toBe(1);
  expect(output).toMatch(/^listen EADDRINUSE.*\n$/);
  other.close();
});

test('a bad port is told by name', async () => {
  const { code, output } = await launch({ PORT: 'http' }).ended;
  expect(code).toBe(1);
  expect(output).toBe('PORT must be a whole number from 0 to 65535, but it is "http"\n');
});
