import { Cluster, Redis } from 'ioredis';
import { createCluster } from 'redis';
import { ClientSubscription, RedisSubscription, type Subscription } from '../dist/redis/subscription';
import { certificate, certificateFiles } from './support/certificate';
import { temporaryFolder } from './support/process';
import { useRedis } from './support/redis';
import { eventually, useServer } from './support/server';
import { createRedisCluster, createRedisSentinels, type RedisServer } from './support/servers';
import { hand } from './support/servers/account';
import { atEnd, endAll, Heard, kept, listeners, openLink } from './support/subscriptions';

// Where there are several servers, and other ways to one.

type Open = (heard: Heard) => Subscription;

/** The servers that are listened to, of those that run. */
async function listenedTo(servers: readonly RedisServer[]): Promise<RedisServer[]> {
  const running = servers.filter(({ isRunning }) => isRunning);
  const counts = await Promise.all(running.map(listeners));
  return running.filter((_, index) => counts[index]! > 0);
}

describe('a Cluster', () => {
  endAll();
  const cluster = useServer(createRedisCluster({ 'cluster-require-full-coverage': 'no' }));
  const nodes = () => cluster.config.cluster;

  afterEach(async () => {
    for (const node of cluster.nodes) if (!node.isRunning) await node.start();
    await eventually(() => cluster.isReady());
    await eventually(async () => (await listenedTo(cluster.nodes)).length === 0);
  });

  const WAYS: Record<string, () => Open | Promise<Open>> = {
    'a link': () => {
      const link = openLink(cluster.config);
      return (heard) => kept(new RedisSubscription(link, 'news', heard));
    },
    ioredis: () => {
      const client = new Cluster(nodes());
      client.on('error', () => {});
      atEnd(() => client.disconnect());
      return (heard) => kept(new ClientSubscription(client, 'news', heard));
    },
    'node-redis': async () => {
      const client = createCluster({ rootNodes: nodes().map((socket) => ({ socket })) });
      client.on('error', () => {});
      client.on('node-error', () => {});
      atEnd(() => client.destroy());
      await client.connect();
      return (heard) => kept(new ClientSubscription(client, 'news', heard));
    },
  };

  describe.each(Object.entries(WAYS))('%s', (_, way) => {
    test('what is published at any node is heard', async () => {
      const heard = new Heard();
      (await way())(heard);
      await heard.until('subscribed');
      for (const [n, node] of cluster.nodes.entries()) await node.command('PUBLISH', 'news', `from ${n}`);
      for (const n of cluster.nodes.keys()) await heard.until(`from ${n}`);
      expect(heard.payloads).toHaveLength(cluster.nodes.length);
    });

    test('a node that dies: another is listened to', async () => {
      const heard = new Heard();
      const open = await way();
      open(heard);
      await heard.until('subscribed');
      for (let round = 1; round <= 2; round++) {
        const [node] = await listenedTo(cluster.nodes);
        await node!.kill();
        await heard.until('subscribed', round + 1);
        expect(await listenedTo(cluster.nodes)).toHaveLength(1);
        await eventually(async () => {
          // A node that has just lost another may not know of it yet.
          const other = cluster.nodes.find(({ isRunning }) => isRunning)!;
          await other.command('PUBLISH', 'news', `round ${round}`);
          return heard.count(`round ${round}`) > 0;
        });
        await node!.start();
        await eventually(() => cluster.isReady());
      }
      expect(heard.events.filter((event) => !event.startsWith('round'))).toEqual([
        ...['subscribed', 'lost', 'subscribed', 'lost', 'subscribed'],
      ]);
    });

    test('many are spread over the nodes', async () => {
      const open = await way();
      const heards = Array.from({ length: 30 }, () => new Heard());
      for (const heard of heards) open(heard);
      for (const heard of heards) await heard.until('subscribed');
      expect((await listenedTo(cluster.nodes)).length).toBeGreaterThan(1);
    });
  });

  test('a client that is connected later is used then', async () => {
    const client = new Cluster(nodes(), { lazyConnect: true });
    atEnd(() => client.disconnect());
    const heard = new Heard();
    kept(new ClientSubscription(client, 'news', heard));
    await heard.until('lost');
    await client.connect();
    await heard.until('subscribed');
    expect(heard.events).toEqual(['lost', 'subscribed']);
    expect(heard.errors[0].failure).toBe('connection');
  });
});

describe('sentinels', () => {
  endAll();
  const sentinels = useServer(createRedisSentinels());

  const WAYS: Record<string, () => Open> = {
    'a link': () => {
      const link = openLink(sentinels.config);
      return (heard) => kept(new RedisSubscription(link, 'news', heard));
    },
    ioredis: () => {
      const { sentinelName: name, ...config } = sentinels.config;
      const client = new Redis({ ...config, name });
      client.on('error', () => {});
      atEnd(() => client.disconnect());
      return (heard) => kept(new ClientSubscription(client, 'news', heard));
    },
  };

  describe.each(Object.entries(WAYS))('%s', (_, way) => {
    async function expectHeard(heard: Heard, what: string): Promise<void> {
      await eventually(async () => {
        await (await sentinels.master()).command('PUBLISH', 'news', what).catch(() => {});
        return heard.count(what) > 0;
      });
    }

    test('a master that dies, and one that is replaced: the new one is listened to', async () => {
      await eventually(() => sentinels.isReady(), 60_000);
      const heard = new Heard();
      way()(heard);
      await heard.until('subscribed');
      const first = await sentinels.master();
      await first.kill();
      await heard.until('lost');
      await eventually(async () => (await sentinels.master()) !== first);
      await expectHeard(heard, 'after a death');
      expect(heard.errors).toHaveLength(1);
      await first.start();
      await eventually(() => sentinels.isReady(), 60_000);
      await sentinels.failOver();
      await eventually(async () => (await sentinels.master()) === first);
      await expectHeard(heard, 'after a failover');
      await eventually(async () => (await listenedTo(sentinels.servers)).includes(first));
    });
  });
});

describe('other ways to a server', () => {
  endAll();
  const files = certificateFiles();
  const { folder, remove } = temporaryFolder();
  hand(folder);
  afterAll(() => {
    files.remove();
    remove();
  });
  const path = `${folder}/redis.sock`;
  const plain = useRedis({ unixsocket: path, unixsocketperm: 777 });
  const encrypted = useRedis({
    'tls-cert-file': files.cert,
    'tls-key-file': files.key,
    'tls-ca-cert-file': files.cert,
    'tls-auth-clients': 'no',
    requirepass: 'secret',
  });

  test('a Unix socket, and another database', async () => {
    const heard = new Heard();
    kept(new RedisSubscription(openLink({ path, db: 3 }), 'news', heard));
    await heard.until('subscribed');
    await plain.command('PUBLISH', 'news', 'one');
    await heard.until('one');
  });

  test('TLS, and a password', async () => {
    const heard = new Heard();
    const { host, port } = encrypted;
    const options = { host, port, password: 'secret', tls: { ca: certificate } };
    kept(new RedisSubscription(openLink(options), 'news', heard));
    await heard.until('subscribed');
    const long = Buffer.alloc(5 << 20, 'long');
    await encrypted.command('PUBLISH', 'news', long);
    await heard.until('long');
    expect(heard.payloads[0]!.equals(long)).toBe(true);
    await encrypted.restart();
    await heard.until('subscribed', 2);
    expect(heard.events).toEqual(['subscribed', 'long', 'lost', 'subscribed']);
  });

  test('a certificate that is not trusted: why is told', async () => {
    const heard = new Heard();
    const { host, port } = encrypted;
    kept(new RedisSubscription(openLink({ host, port, password: 'secret', tls: true }), 'news', heard));
    await heard.until('lost');
    expect(heard.errors[0].failure).toBe('connection');
    expect(heard.errors[0].message).toMatch(/certificate/i);
  });
});
