import { Agent } from 'node:http';
import { killChildren, runChild } from './support/child';
import { evaluate, runNode } from './support/process';
import { eventually } from './support/server';
import { get } from './support/wires';

afterEach(killChildren);

/** A service that answers after a while, and says at its end how many requests it had. */
const service = (options: object) => `
  const { createServer } = require('node:http');
  const { Lifecycle, Health } = require('keelson');
  const lifecycle = new Lifecycle(${JSON.stringify(options)});
  const ready = new Health({ lifecycle }).handler('ready');
  let accepted = 0;
  const server = createServer((req, res) => {
    if (req.url === '/readyz') return ready(req, res);
    accepted++;
    setTimeout(() => res.end('x'.repeat(20_000)), Math.random() * 20);
  });
  lifecycle.server(server, { name: 'web' });
  lifecycle.handleSignals();
  lifecycle.on('finished', ({ isClean, ms }) => console.log('finished ' + JSON.stringify({ accepted, isClean, ms })));
  lifecycle.ready().then(() => server.listen(0, '127.0.0.1', () => console.log('port ' + server.address().port)));`;

interface Load {
  answered: number;
  failures: string[];
  stop(): void;
  over: Promise<unknown>;
}

/** Clients that send one request after the other on kept-alive connections, as long as they may. */
function load(port: number, clients: number): Load {
  let isOver = false;
  const found: Load = {
    answered: 0,
    failures: [],
    stop: () => {
      isOver = true;
    },
    over: Promise.resolve(),
  };
  const client = async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (!isOver) {
      try {
        const { status, body } = await get(port, '/', { agent });
        if (status === 200 && body.length === 20_000) found.answered++;
        else found.failures.push(`${status}, ${body.length} bytes`);
      } catch (error) {
        found.failures.push((error as NodeJS.ErrnoException).code ?? String(error));
        if ((error as NodeJS.ErrnoException).code === 'ECONNREFUSED') break;
      }
    }
    agent.destroy();
  };
  found.over = Promise.all(Array.from({ length: clients }, client));
  return found;
}

describe('SIGTERM under load', () => {
  test('behind a load balancer that asks for readiness no request fails', async () => {
    const child = runChild(service({ readinessDelay: 3_000 }));
    const port = Number(await child.says(/port (\d+)/));
    const clients = load(port, 16);
    await eventually(() => clients.answered > 200);
    child.kill('SIGTERM');
    await eventually(async () => (await get(port, '/readyz')).status === 503);
    const answered = clients.answered;
    // Those that were sent before the balancer knew, and a while of those that it sends until all of it knows.
    await eventually(() => clients.answered > answered + 50);
    clients.stop();
    await clients.over;
    expect(await child.ended).toEqual({ code: 0, signal: null });
    const report = JSON.parse(await child.says(/finished (.*)/));
    expect(clients.failures).toEqual([]);
    expect(report).toMatchObject({ isClean: true, accepted: clients.answered });
    expect(child.stderr()).toBe('');
  });

  test('without a delay each request that was accepted is answered in whole', async () => {
    const child = runChild(service({ readinessDelay: 0 }));
    const clients = load(Number(await child.says(/port (\d+)/)), 32);
    await eventually(() => clients.answered > 200);
    child.kill('SIGTERM');
    await clients.over;
    expect(await child.ended).toEqual({ code: 0, signal: null });
    const report = JSON.parse(await child.says(/finished (.*)/));
    expect(report).toMatchObject({ isClean: true, accepted: clients.answered });
  });
});

/** A service with a resource that never stops, and one with a request that never ends. */
const stubborn = (signals = '') => `
  const { createServer, get } = require('node:http');
  const { Lifecycle } = require('keelson');
  const lifecycle = new Lifecycle({ budgets: { requests: 60_000 }, timeout: 120_000 });
  const server = createServer(() => console.log('asked'));
  lifecycle.server(server, { name: 'web' });
  lifecycle.register('db', { stop() {} });
  lifecycle.handleSignals(${signals});
  lifecycle.on('shutdown', () => console.log('draining'));
  server.listen(0, '127.0.0.1', () => get({ port: server.address().port }).on('error', () => {}));
  process.on('exit', (code) => console.log('exit ' + code));`;

describe('signals', () => {
  test.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)(
    'the second %s ends the process at once, with %d, and says what it cuts off',
    async (signal, code) => {
      const child = runChild(stubborn());
      await child.says(/asked/);
      child.kill('SIGTERM');
      await child.says(/draining/);
      // One within 100 ms would be the same one.
      await eventually(() => {
        child.kill(signal);
        return child.stdout().includes('exit');
      });
      expect(await child.ended).toEqual({ code, signal: null });
      expect(child.stderr()).toBe(
        `keelson lifecycle: ${signal} again: exits at once, cutting off web (1 requests, 1 connections), db\n`,
      );
    },
  );

  test('one that comes twice within a moment, as npm passes it on, is one', async () => {
    const child = runChild(`
      const { Lifecycle } = require('keelson');
      const lifecycle = new Lifecycle();
      lifecycle.register('slow', { stop: () => new Promise((resolve) => setTimeout(resolve, 300)) });
      lifecycle.handleSignals();
      lifecycle.on('finished', () => console.log('finished'));
      process.on('SIGINT', () => console.log('heard'));
      setInterval(() => {}, 1_000).unref();
      const hold = setTimeout(() => {}, 60_000);
      lifecycle.on('finished', () => clearTimeout(hold));
      process.kill(process.pid, 'SIGINT');
      process.once('SIGINT', () => process.kill(process.pid, 'SIGINT'));`);
    expect(await child.ended).toEqual({ code: 0, signal: null });
    expect(child.stdout().trim().split('\n')).toEqual(['heard', 'heard', 'finished']);
  });

  test.each([
    ['throws', `() => { throw new Error('boom') }`],
    ['cuts off', `({ cutOff }) => cutOff('jobs', 1)`],
    ['hangs', '() => new Promise(() => {})'],
  ])('the exit code is 1 when a resource %s', async (_name, stop) => {
    const { code, stderr } = await runNode([
      '-e',
      `const { Lifecycle } = require('keelson');
       const lifecycle = new Lifecycle({ budgets: { pools: 50 } });
       lifecycle.register('bad', { stop: ${stop} });
       lifecycle.handleSignals();
       const hold = setTimeout(() => {}, 60_000);
       lifecycle.on('finished', () => clearTimeout(hold));
       process.kill(process.pid, 'SIGTERM');`,
    ]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
  });

  test('what still holds the process a second later is named, and the process ended', async () => {
    const { code, stderr } = await runNode([
      '-e',
      `const { Lifecycle } = require('keelson');
       new Lifecycle().handleSignals({ signals: ['SIGUSR2'] });
       setInterval(() => {}, 60_000);
       process.kill(process.pid, 'SIGUSR2');`,
    ]);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^keelson lifecycle: still open after the shutdown: .*Timeout.*\n$/);
  });

  test('an exit code that the service has set stays', async () => {
    const { code } = await runNode([
      '-e',
      `const { Lifecycle } = require('keelson');
       new Lifecycle().handleSignals();
       process.exitCode = 7;
       process.kill(process.pid, 'SIGTERM');
       setTimeout(() => {}, 100);`,
    ]);
    expect(code).toBe(7);
  });

  test('with exit: false the end is the service’s', async () => {
    const { code, stdout, stderr } = await runNode([
      '-e',
      `const { Lifecycle } = require('keelson');
       const lifecycle = new Lifecycle();
       lifecycle.register('bad', { stop: ({ cutOff }) => cutOff('jobs', 1) });
       lifecycle.handleSignals({ exit: false });
       lifecycle.on('finished', ({ cutOff }) => {
         // Longer than the process would get otherwise.
         setTimeout(() => console.log(JSON.stringify(cutOff)), 1_500);
       });
       const hold = setTimeout(() => {}, 200);
       process.kill(process.pid, 'SIGTERM');`,
    ]);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '{"jobs":1}\n', stderr: '' });
  });

  test('undone, a signal ends the process as it would without keelson', async () => {
    const { code, signal } = await runNode([
      '-e',
      `const { lifecycle } = require('keelson');
       const before = process.listenerCount('SIGTERM');
       const undo = lifecycle.handleSignals();
       if (process.listenerCount('SIGTERM') !== before + 1) throw new Error('nobody listens');
       undo();
       process.kill(process.pid, 'SIGTERM');
       setTimeout(() => {}, 10_000);`,
    ]);
    expect({ code, signal }).toEqual({ code: null, signal: 'SIGTERM' });
  });
});

test('a worker thread cannot handle signals, and can shut down', async () => {
  const found = await evaluate<unknown>(`
    const { Worker } = require('node:worker_threads');
    const worker = new Worker(\`
      const { Lifecycle, MainThreadError } = require('keelson');
      const { parentPort } = require('node:worker_threads');
      const lifecycle = new Lifecycle();
      lifecycle.register('a', { stop() {} });
      let refused;
      try { lifecycle.handleSignals(); } catch (error) { refused = [error instanceof MainThreadError, error.code]; }
      lifecycle.shutdown().then(({ isClean }) => parentPort.postMessage([...refused, isClean]));\`, { eval: true });
    worker.on('message', (message) => console.log(JSON.stringify(message)));`);
  expect(found).toEqual([true, 'ERR_KEELSON_MAIN_THREAD', true]);
});

test('a lifecycle and a health, made and left alone, hold no process', async () => {
  const outcome = await runNode([
    '-e',
    `const { Health, lifecycle } = require('keelson');
     const health = new Health({ lifecycle, checks: { a: () => {} } });
     lifecycle.register('a', { stop() {} });
     lifecycle.ready().then(() => health.ready()).then(({ status }) => console.log(status));`,
  ]);
  expect(outcome).toEqual({ code: 0, signal: null, stdout: 'pass\n', stderr: '' });
});
