import { evaluateSoon, runNode } from './support/process';
import { useRedis } from './support/redis';
import { freePort } from './support/servers';

// Each test starts processes, which may take their time on a busy machine.
jest.setTimeout(60_000);

const server = useRedis();

/** How a process that a test starts listens, `open` of a way and a port, and publishes. */
const opening = (port: number): string => `
  const { createClient } = require('redis');
  const { Redis } = require('ioredis');
  const { RedisLink } = require('./dist/redis/link.js');
  const { redisSpec } = require('./dist/redis/options.js');
  const { ClientSubscription, RedisSubscription } = require('./dist/redis/subscription.js');
  const silent = (client) => client.on('error', () => {});
  const ways = {
    link: (port, ...rest) => new RedisSubscription(RedisLink.open(redisSpec({ port })), ...rest),
    // Clients of the service that keep no process themselves: they are not connected.
    ioredis: (port, ...rest) => new ClientSubscription(silent(new Redis({ port, lazyConnect: true })), ...rest),
    nodeRedis: (port, ...rest) => new ClientSubscription(silent(createClient({ socket: { port } })), ...rest),
  };
  const open = (way, port, listener) =>
    ways[way](port, 'news', { message() {}, subscribed() {}, lost() {}, ...listener });
  const publish = async (payload) => {
    const client = new Redis(${port});
    await client.publish('news', payload);
    client.disconnect();
  };`;

const WAYS = ['link', 'ioredis', 'nodeRedis'];

test.each(WAYS)('%s: an open subscription lets the process end, when it has heard something', async (way) => {
  const found = await evaluateSoon(`${opening(server.port)}
    const told = [];
    // Only this keeps the process.
    const timer = setInterval(() => {}, 1000);
    open('${way}', ${server.port}, {
      subscribed: () => { told.push('subscribed'); publish('hello'); },
      message: (payload) => {
        told.push(String(payload));
        clearInterval(timer);
        console.log(JSON.stringify(told));
      },
    });`);
  expect(found).toEqual(['subscribed', 'hello']);
});

test.each(WAYS)('%s: so does one whose server is away, or that was just made', async (way) => {
  const port = await freePort();
  const found = await evaluateSoon(`${opening(server.port)}
    const timer = setInterval(() => {}, 1000);
    open('${way}', ${server.port});
    open('${way}', ${port}, {
      lost: ({ failure }) => {
        clearInterval(timer);
        console.log(JSON.stringify(failure));
      },
    });`);
  expect(found).toBe('connection');
});

test.each(WAYS)('%s: what a listener throws is thrown later, and others get theirs', async (way) => {
  const found = await evaluateSoon<{ thrown: string[]; heard: string[] }>(`${opening(server.port)}
    const [thrown, heard] = [[], []];
    process.on('uncaughtException', ({ message }) => thrown.push(message));
    const fail = (what) => () => { throw new Error(what); };
    open('${way}', ${server.port}, { message: fail('message'), subscribed: fail('subscribed'), lost: fail('lost') });
    open('${way}', ${server.port}, {
      message: (payload) => heard.push(String(payload)),
      subscribed: () => heard.push('subscribed'),
      lost: () => heard.push('lost'),
    });
    const until = async (condition) => {
      while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
    };
    (async () => {
      await until(() => thrown.length === 1 && heard.length === 1);
      await publish('first');
      await publish('second');
      await until(() => thrown.length === 3 && heard.length === 3);
      const client = new Redis(${server.port});
      await client.client('KILL', 'TYPE', 'pubsub');
      client.disconnect();
      await until(() => thrown.length === 5 && heard.length === 5);
      console.log(JSON.stringify({ thrown, heard }));
    })();`);
  expect(found.thrown).toEqual(['subscribed', 'message', 'message', 'lost', 'subscribed']);
  expect(found.heard).toEqual(['subscribed', 'first', 'second', 'lost', 'subscribed']);
});

test.each(WAYS)('%s: process.exit() while messages come', async (way) => {
  const outcome = await runNode([
    '-e',
    `${opening(server.port)}
    let heard = 0;
    open('${way}', ${server.port}, {
      subscribed: () => { for (let n = 0; n < 200; n++) publish('hello'); },
      message: () => { if (++heard === 50) process.exit(7); },
    });
    setInterval(() => {}, 1000);`,
  ]);
  expect(outcome).toEqual({ code: 7, signal: null, stdout: '', stderr: '' });
});

test('subscriptions that are closed leave nothing open', async () => {
  const found = await evaluateSoon(`${opening(server.port)}
    const others = ['Timeout', 'PipeWrap', 'TTYWrap'];
    const left = () => process.getActiveResourcesInfo().filter((name) => !others.includes(name)).length;
    const link = RedisLink.open(redisSpec({ port: ${server.port} }));
    const before = left();
    const timer = setInterval(() => {}, 1000);
    const round = () => new Promise((resolve) => {
      const subscription = new RedisSubscription(link, 'news', {
        message() {}, lost() {}, subscribed: () => resolve(subscription.close()),
      });
    });
    (async () => {
      for (let n = 0; n < 100; n++) await round();
      while (left() > before) await new Promise((resolve) => setTimeout(resolve, 5));
      clearInterval(timer);
      console.log(JSON.stringify(left() - before));
    })();`);
  expect(found).toBe(0);
});

test('workers that are terminated with subscriptions leave the others alone', async () => {
  const found = await evaluateSoon<{ worked: number; heard: number }>(`${opening(server.port)}
    const { Worker } = require('node:worker_threads');
    const source = ${JSON.stringify(opening(server.port))} + \`
      const { parentPort } = require('node:worker_threads');
      let heard = 0;
      for (const way of Object.keys(ways)) {
        for (let n = 0; n < 4; n++) open(way, ${server.port}, {
          message: () => { if (++heard === 50) parentPort.postMessage('at work'); },
        });
      }
      setInterval(() => {}, 1000);\`;
    let heard = 0;
    open('link', ${server.port}, { message: () => heard++ });
    const flood = new Redis(${server.port});
    const stop = setInterval(() => {
      for (let n = 0; n < 100; n++) flood.publish('news', 'x'.repeat(n));
    }, 5);
    const run = (index) => new Promise((resolve, reject) => {
      const worker = new Worker(source, { eval: true });
      // Half of them at any moment from their start on, half once they are at work.
      if (index % 2 === 0) setTimeout(() => worker.terminate(), 10 * index);
      let worked = false;
      worker.on('message', () => {
        worked = true;
        worker.terminate();
      });
      worker.on('error', reject);
      worker.on('exit', () => resolve(worked));
    });
    (async () => {
      let worked = 0;
      const lane = async (first) => {
        for (let index = first; index < 16; index += 2) worked += await run(index);
      };
      await Promise.all([lane(0), lane(1)]);
      const before = heard;
      while (heard < before + 100) await new Promise((resolve) => setTimeout(resolve, 5));
      clearInterval(stop);
      flood.disconnect();
      console.log(JSON.stringify({ worked, heard }));
    })();`);
  expect(found.worked).toBeGreaterThanOrEqual(8);
  expect(found.heard).toBeGreaterThan(100);
});
