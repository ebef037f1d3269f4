import { evaluate, evaluateSoon, runNode } from './support/process';

/** A factory of sockets to a server of the process itself, and what tells how many it holds. */
const SOCKETS = `
  const net = require('node:net');
  const { ConnectionPool } = require('keelson');
  const clients = new Set();
  const server = net.createServer((socket) => {
    clients.add(socket);
    socket.unref();
    socket.on('error', () => {}).on('close', () => clients.delete(socket));
    socket.pipe(socket);
  });
  const listening = new Promise((resolve) => server.listen(0, '127.0.0.1', resolve).unref());
  const factory = {
    create: async ({ signal }) => {
      await listening;
      const socket = net.connect({ port: server.address().port, host: '127.0.0.1', signal });
      await require('node:events').once(socket, 'connect');
      return socket.on('error', () => {});
    },
    destroy: (socket) => socket.closed || new Promise((resolve) => socket.once('close', resolve).destroy()),
    alive: (socket) => !socket.destroyed && socket.writable,
    ref: (socket) => socket.ref(),
    unref: (socket) => socket.unref(),
  };
  const echo = (socket, text) => new Promise((resolve, reject) => {
    socket.once('data', (data) => resolve(String(data))).once('close', () => reject(new Error('closed')));
    socket.write(text);
  });`;

test('an idle pool with open connections lets the process end', async () => {
  const found = await evaluateSoon(`${SOCKETS}
    const pool = new ConnectionPool(factory, { min: 3, max: 3, idleTimeout: 600_000 });
    pool.use((socket) => echo(socket, 'hello')).then((text) =>
      console.log(JSON.stringify([text, pool.getStats()])));`);
  expect(found).toEqual([
    'hello',
    { total: 3, idle: expect.any(Number), active: 0, waiting: 0, opening: expect.any(Number) },
  ]);
});

test('an acquire that waits keeps the process until its deadline', async () => {
  const found = await evaluate(`
    const { ConnectionPool } = require('keelson');
    const pool = new ConnectionPool({ create: () => ({}) }, { max: 1, acquireTimeout: 50 });
    pool.acquire().then(() => pool.acquire()).catch((error) => console.log(JSON.stringify(error.code)));`);
  expect(found).toBe('ERR_KEELSON_TIMEOUT');
});

test('an opening that hangs keeps the process until it is given up, an idle pool after it does not', async () => {
  const found = await evaluate(`
    const { ConnectionPool } = require('keelson');
    const pool = new ConnectionPool({ create: () => new Promise(() => {}) }, { createTimeout: 50, acquireTimeout: 1_000 });
    pool.acquire().catch((error) => console.log(JSON.stringify(error.cause.code)));`);
  expect(found).toBe('ERR_KEELSON_POOL_CONNECTION');
});

test('a deadline counts from its call, however many calls came before in this turn of the event loop', async () => {
  const found = await evaluate(`
    const { ConnectionPool } = require('keelson');
    (async () => {
      const pool = new ConnectionPool({ create: () => ({}) }, { max: 1, acquireTimeout: 900 });
      for (let round = 0; round < 1_000; round++) (await pool.acquire()).release();
      const lease = await pool.acquire();
      // The reading of the clock that the calls of a burst share is old after this.
      for (const until = performance.now() + 1_000; performance.now() < until; );
      const call = pool.acquire();
      setTimeout(() => lease.release(), 5);
      console.log(JSON.stringify((await call).active));
    })();`);
  expect(found).toBe(true);
});

test('a closed pool leaves nothing open', async () => {
  const found = await evaluate(`${SOCKETS}
    (async () => {
      const pool = new ConnectionPool(factory, { min: 2, max: 5 });
      await pool.ready();
      const lease = await pool.acquire();
      const waiting = Array.from({ length: 20 }, () => pool.use((socket) => echo(socket, 'x')));
      setTimeout(() => lease.release(), 5);
      const answers = await Promise.all(waiting);
      await pool.close();
      server.close();
      await new Promise((resolve) => setTimeout(resolve, 20));
      const resources = process.getActiveResourcesInfo().filter((kind) => kind !== 'PipeWrap');
      console.log(JSON.stringify([answers.join(''), resources, clients.size]));
    })();`);
  expect(found).toEqual(['x'.repeat(20), [], 0]);
});

test('connections that the server cuts are never lent again', async () => {
  const found = await evaluate<{ failed: number; served: number; left: object }>(`${SOCKETS}
    (async () => {
      const pool = new ConnectionPool(factory, { max: 4 });
      const used = () => pool.use((socket) => echo(socket, 'x'));
      await Promise.all(Array.from({ length: 8 }, used));
      for (const client of clients) client.destroy();
      while (clients.size > 0) await new Promise(setImmediate);
      await new Promise((resolve) => setTimeout(resolve, 20));
      const outcomes = await Promise.allSettled(Array.from({ length: 20 }, used));
      const failed = outcomes.filter(({ status }) => status === 'rejected').length;
      const left = pool.metrics().closed;
      await pool.close();
      console.log(JSON.stringify({ failed, served: outcomes.length - failed, left }));
    })();`);
  expect(found).toMatchObject({ failed: 0, served: 20, left: { broken: 4 } });
});

test('a pool that is let go is collected once it has closed its idle connections', async () => {
  const source = `
    const { ConnectionPool } = require('keelson');
    (async () => {
      let destroyed = 0;
      const factory = { create: () => ({}), destroy: () => void destroyed++ };
      const references = [];
      const make = async () => {
        const pool = new ConnectionPool(factory, { max: 2, idleTimeout: 20 });
        await pool.use(() => {});
        references.push(new WeakRef(pool));
      };
      for (let count = 0; count < 20; count++) await make();
      for (let turn = 0; turn < 100 && references.some((reference) => reference.deref()); turn++) {
        await new Promise((resolve) => setTimeout(resolve, 10));
        gc();
      }
      const left = references.filter((reference) => reference.deref() !== undefined).length;
      console.log(JSON.stringify([destroyed, left]));
    })();`;
  const { code, stdout, stderr } = await runNode(['--expose-gc', '-e', source]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(JSON.parse(stdout)).toEqual([20, 0]);
});

test('nothing of many acquires stays behind', async () => {
  const source = `
    const { ConnectionPool } = require('keelson');
    (async () => {
      const pool = new ConnectionPool({ create: () => ({}) }, { max: 2, leakAfter: 10_000 });
      const signal = new AbortController().signal;
      const round = async () => {
        const calls = Array.from({ length: 10_000 }, (_, index) =>
          pool.use(() => {}, { signal, affinity: 'key ' + (index % 100), timeout: 60_000 }));
        await Promise.all(calls);
        gc();
        return process.memoryUsage().heapUsed;
      };
      for (let warm = 0; warm < 3; warm++) await round();
      const before = await round();
      for (let count = 0; count < 5; count++) await round();
      console.log(JSON.stringify((await round()) - before));
    })();`;
  const { code, stdout, stderr } = await runNode(['--expose-gc', '-e', source]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(Number(stdout)).toBeLessThan(1_000_000);
});
