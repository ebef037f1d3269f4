import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

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
