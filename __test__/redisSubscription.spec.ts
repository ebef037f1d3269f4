import { AsyncLocalStorage } from 'node:async_hooks';
import { spawnSync } from 'node:child_process';
import { InvalidArgumentError, RedisError } from 'keelson';
import { ClientSubscription, RedisSubscription } from '../dist/redis/subscription';
import { useProxy } from './support/proxy';
import { connections, useRedis } from './support/redis';
import { eventually } from './support/server';
import { endAll, Heard, ioredis, listeners, openLink, WAYS } from './support/subscriptions';

const server = useRedis();
const proxy = useProxy(server);
const through = () => ({ host: proxy.host, port: proxy.port });
endAll();

afterEach(async () => {
  await proxy.pass();
  if (!server.isRunning) await server.start();
  await eventually(async () => (await listeners(server)) === 0);
});

const publish = (channel: string, payload: string | Buffer): Promise<number> =>
  server.command('PUBLISH', channel, payload);

describe.each(Object.entries(WAYS))('%s', (_, way) => {
  /** A channel that is listened to. */
  async function listen(channel: string): Promise<Heard> {
    const heard = new Heard();
    way(through())(channel, heard);
    await heard.until('subscribed');
    return heard;
  }

  test('messages of several publishers are complete, and in the order of each', async () => {
    const heard = await listen('news');
    const clients = Array.from({ length: 4 }, () => ioredis({ host: server.host, port: server.port }));
    const sent = clients.map(async (client, publisher) => {
      for (let n = 0; n < 500; n++) await client.publish('news', `${publisher} ${n}`);
    });
    await Promise.all(sent);
    await eventually(() => heard.payloads.length >= 2000);
    for (let publisher = 0; publisher < 4; publisher++) {
      const of = heard.events.filter((event) => event.startsWith(`${publisher} `));
      expect(of).toEqual(Array.from({ length: 500 }, (_, n) => `${publisher} ${n}`));
    }
    expect(heard.events).toHaveLength(2001);
  });

  test('any bytes, none, and five megabytes of them', async () => {
    const heard = await listen('news');
    const payloads = [
      Buffer.from(Array.from({ length: 256 }, (_, n) => n)),
      Buffer.alloc(0),
      Buffer.alloc(5 << 20, 'a\r\n\0ÿ'),
      Buffer.from('last'),
    ];
    for (const payload of payloads) expect(await publish('news', payload)).toBe(1);
    await heard.until('last');
    expect(heard.payloads.map((payload, n) => payload.equals(payloads[n]!))).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect(heard.payloads.every(Buffer.isBuffer)).toBe(true);
  });

  test('channels of any name, each of which hears its own messages', async () => {
    const names = ['鍵🔑', 'a b\n*', 'ключ', ''];
    const open = way(through());
    const all = names.map((name) => {
      const heard = new Heard();
      open(name, heard);
      return heard;
    });
    for (const heard of all) await heard.until('subscribed');
    for (const [n, name] of names.entries()) expect(await publish(name, `to ${n}`)).toBe(1);
    for (const [n, heard] of all.entries()) await heard.until(`to ${n}`);
    expect(all.map(({ events }) => events)).toEqual(names.map((_, n) => ['subscribed', `to ${n}`]));
  });

  test('nothing is told before the constructor has returned, or after close()', async () => {
    const heard = new Heard();
    const open = way(through());
    open('news', heard).close();
    const other = new Heard();
    const subscription = open('news', other);
    expect(other.events).toEqual([]);
    await other.until('subscribed');
    subscription.close();
    subscription.close();
    await eventually(async () => (await listeners(server)) === 0);
    expect([heard.events, other.events]).toEqual([[], ['subscribed']]);
  });

  test('a listener that closes hears no more of what has come with it', async () => {
    const heard = new Heard();
    const subscription = way(through())('news', {
      message: (payload: Buffer) => {
        heard.message(payload);
        subscription.close();
      },
      subscribed: () => heard.subscribed(),
      lost: (error: unknown) => heard.lost(error),
    });
    await heard.until('subscribed');
    await server.command('EVAL', 'for n = 1, 50 do redis.call("PUBLISH", "news", n) end', 0);
    await eventually(async () => (await listeners(server)) === 0);
    expect(heard.events).toEqual(['subscribed', '1']);
  });

  test('a connection that is killed: lost once, mended, and messages come again', async () => {
    const heard = await listen('news');
    for (let round = 1; round <= 3; round++) {
      await server.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
      await heard.until('subscribed', round + 1);
      await publish('news', `round ${round}`);
      await heard.until(`round ${round}`);
    }
    const rounds = [1, 2, 3].flatMap((round) => ['lost', 'subscribed', `round ${round}`]);
    expect(heard.events).toEqual(['subscribed', ...rounds]);
    expect(heard.errors[0]).toBeInstanceOf(RedisError);
    expect(heard.errors[0].failure).toBe('connection');
  });

  test('a server that is restarted, and one that is away for a while', async () => {
    const heard = await listen('news');
    await server.restart();
    await heard.until('subscribed', 2);
    await server.kill();
    await heard.until('lost', 2);
    proxy.refuse();
    const before = proxy.accepted;
    await server.start();
    expect(proxy.accepted).toBe(before);
    await proxy.pass();
    await heard.until('subscribed', 3);
    await publish('news', 'back');
    await heard.until('back');
    expect(heard.events).toEqual(['subscribed', 'lost', 'subscribed', 'lost', 'subscribed', 'back']);
  });

  test('a network that swallows bytes is noticed within seconds', async () => {
    const heard = await listen('news');
    proxy.swallow();
    const began = performance.now();
    await heard.until('lost');
    expect(performance.now() - began).toBeLessThan(12_000);
    await proxy.pass();
    proxy.cut();
    await heard.until('subscribed', 2);
    await publish('news', 'back');
    await heard.until('back');
    expect(heard.events).toEqual(['subscribed', 'lost', 'subscribed', 'back']);
  });

  test('close() in any state leaves no connection', async () => {
    const open = way(through());
    const moments: (() => unknown)[] = [
      () => {},
      () => new Promise((resolve) => setImmediate(resolve)),
      () => publish('news', 'one'),
      () => proxy.cut(),
      () => proxy.swallow(),
      () => proxy.close(),
      () => proxy.pass(),
    ];
    for (const moment of moments) {
      const heards = Array.from({ length: 5 }, () => new Heard());
      const subscriptions = heards.map((heard) => open('news', heard));
      await moment();
      for (const subscription of subscriptions) subscription.close();
      const before = heards.map(({ events }) => events.length);
      await eventually(async () => (await listeners(server)) === 0);
      expect(heards.map(({ events }) => events.length)).toEqual(before);
    }
  });

  test('a hundred that are closed leave no connection', async () => {
    const open = way(through());
    const before = new Heard();
    const first = open('first', before);
    await before.until('subscribed');
    const heards = Array.from({ length: 100 }, () => new Heard());
    const subscriptions = heards.map((heard, n) => open(`news ${n % 10}`, heard));
    for (const heard of heards) await heard.until('subscribed');
    expect(await listeners(server)).toBe(101);
    expect(await publish('news 7', 'seven')).toBe(10);
    for (const heard of heards.filter((_, n) => n % 10 === 7)) await heard.until('seven');
    for (const subscription of [first, ...subscriptions]) subscription.close();
    await eventually(async () => (await listeners(server)) === 0);
    // Its own, for commands.
    await eventually(async () => (await connections(server)) === 1);
  });

  test('it hears in no context of a caller', async () => {
    const storage = new AsyncLocalStorage<string>();
    const stores: unknown[] = [];
    const note = (): void => void stores.push(storage.getStore());
    const open = way(through());
    storage.run('caller', () => open('news', { message: note, subscribed: note, lost: note }));
    await eventually(() => stores.length === 1);
    await publish('news', 'one');
    await server.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await eventually(() => stores.length === 4);
    expect(stores).toEqual([undefined, undefined, undefined, undefined]);
  });
});

describe('who may not listen', () => {
  const guarded = useRedis({
    requirepass: 'right',
    user: 'deaf on >secret ~* resetchannels +@all',
  });
  const { host } = guarded;

  test.each(Object.entries(WAYS))('%s: why is told, and later it may', async (_, way) => {
    const wrong = new Heard();
    way({ host, port: guarded.port, password: 'wrong' })('news', wrong);
    const deaf = new Heard();
    way({ host, port: guarded.port, username: 'deaf', password: 'secret' })('news', deaf);
    await Promise.all([wrong.until('lost'), deaf.until('lost')]);
    for (const { errors } of [wrong, deaf]) {
      expect(errors[0]).toBeInstanceOf(RedisError);
      expect(errors[0].failure).toBe('permission');
      expect(errors[0].message).not.toMatch(/wrong$|secret/);
    }
    await guarded.command('ACL', 'SETUSER', 'deaf', '&news');
    await deaf.until('subscribed');
    expect(deaf.events).toEqual(['lost', 'subscribed']);
    expect(wrong.events).toEqual(['lost']);
    await guarded.command('ACL', 'SETUSER', 'deaf', 'resetchannels');
  });
});

/** Has a process publish again and again, each time until the server has sent all, while this one stands still. */
function publishAll(script: string, times: number): void {
  const source = `
    const { Redis } = require('ioredis');
    const client = new Redis(${server.port}, '${server.host}');
    const isSent = async () => / oll=0 .*omem=0 /.test(await client.client('LIST', 'TYPE', 'PUBSUB'));
    (async () => {
      for (let time = 0; time < ${times}; time++) {
        await client.eval(${JSON.stringify(script)}, 0, time);
        while (!(await isSent()));
      }
      client.disconnect();
    })();`;
  const { status, stderr } = spawnSync(process.execPath, ['-e', source], { timeout: 60_000 });
  expect([status, String(stderr)]).toEqual([0, '']);
}

describe('JavaScript that is slow', () => {
  async function listen(): Promise<Heard> {
    const heard = new Heard();
    WAYS['a link']!({ host: server.host, port: server.port })('news', heard);
    await heard.until('subscribed');
    return heard;
  }

  test('gets all that has come meanwhile, in order', async () => {
    const heard = await listen();
    publishAll('for n = 1, 6000 do redis.call("PUBLISH", "news", ARGV[1] * 6000 + n) end', 10);
    await heard.until('60000');
    expect(heard.events).toEqual(['subscribed', ...Array.from({ length: 60_000 }, (_, n) => `${n + 1}`)]);
  });

  // The system holds some dozens of megabytes that nobody has read.
  test.each([
    ['messages', 5000, 700, 26],
    ['bytes', 10, 1_000_000, 20],
  ])('is told of a loss where there are too many %s', async (_, count, length, times) => {
    const heard = await listen();
    const script = `local long = string.rep("x", ${length}) for n = 1, ${count} do redis.call("PUBLISH", "news", long) end`;
    publishAll(script, times);
    await publish('news', 'last');
    await heard.until('last');
    expect(heard.events.slice(0, 3)).toEqual(['subscribed', 'lost', 'subscribed']);
    expect(heard.errors.map(({ failure }) => failure)).toEqual(['overloaded']);
    expect(heard.payloads.length).toBeLessThan(count * times);
  });
});

test('a link that is closed ends its subscriptions', async () => {
  const heard = new Heard();
  const link = openLink({ host: server.host, port: server.port, connectTimeout: 1234 });
  const subscription = new RedisSubscription(link, 'news', heard);
  await heard.until('subscribed');
  link.close();
  await heard.until('lost');
  expect(heard.errors[0].failure).toBe('closed');
  subscription.close();
});

test.each([undefined, null, {}, { subscribe: () => {} }])('%p has no duplicates', (client) => {
  const open = () => new ClientSubscription(client, 'news', new Heard());
  expect(open).toThrow(InvalidArgumentError);
  expect(open).toThrow(/duplicate/);
});

test('a client whose duplicates are of no use: why is told, and it is tried again', async () => {
  let times = 0;
  const heard = new Heard();
  const duplicate = () => {
    times++;
    throw new Error('not today');
  };
  const subscription = new ClientSubscription({ duplicate }, 'news', heard);
  await eventually(() => times >= 3);
  expect(heard.events).toEqual(['lost']);
  expect(heard.errors[0].message).toContain('not today');
  subscription.close();
});
