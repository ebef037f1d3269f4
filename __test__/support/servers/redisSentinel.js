const { existsSync, mkdirSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { hand } = require('./account.js');
const { program } = require('./programs.js');
const { createRedis, createRedisReplica } = require('./redis.js');
const { redisCommand, until } = require('./redisCommand.js');
const { ServerProcess } = require('./serverProcess.js');

/** What sentinels call the master that they watch. */
const NAME = 'keelson';
const QUORUM = 2;

/** A second without an answer is an outage, also on a machine that has other work. */
const configuration = (port, { host, port: master }) => `
port ${port}
bind ${host}
sentinel monitor ${NAME} ${host} ${master} ${QUORUM}
sentinel down-after-milliseconds ${NAME} 1000
sentinel failover-timeout ${NAME} 5000
sentinel parallel-syncs ${NAME} 1
`;

/** A sentinel keeps what it learns in its own configuration, which is written at its first start only. */
function command(folder, port, { master }) {
  const file = join(folder, 'data', 'sentinel.conf');
  if (!existsSync(file)) {
    writeFileSync(file, configuration(port, master));
    hand(file);
  }
  return [program('redis-server'), file, '--sentinel'];
}

const SENTINEL = {
  title: 'Redis Sentinel',
  config: {},
  data: (data) => {
    mkdirSync(data);
    hand(data);
  },
  command,
  ready: /\+monitor master/,
  stopSignal: 'SIGTERM',
};

/**
 * How often servers are asked about themselves, in milliseconds, instead of every 10 s: a failover is over that much
 * sooner. And a sentinel that the machine has no time for goes on afterwards, instead of doing nothing for 30 s.
 */
const PACE = ['INFO-PERIOD', 500, 'PUBLISH-PERIOD', 500, 'TILT-TRIGGER', 20_000, 'TILT-PERIOD', 1000];

class Sentinel extends ServerProcess {
  async start() {
    await super.start();
    await redisCommand(this, 'SENTINEL', 'DEBUG', ...PACE);
  }
}

/** The fields of a flat answer of names and values. */
function fields(flat) {
  const pairs = Array.from({ length: flat.length / 2 }, (_, index) => flat.slice(2 * index, 2 * index + 2));
  return Object.fromEntries(pairs);
}

/** A master, a replica and three sentinels that put it in the master's place within seconds. */
class RedisSentinels {
  constructor(settings) {
    const master = createRedis(settings);
    /** The servers with data: the first master, and its replica. */
    this.servers = [master, createRedisReplica(master, settings)];
    this.sentinels = Array.from({ length: 3 }, () => new Sentinel(SENTINEL, { master }));
  }

  /** How to connect, named as the config of keelson's utilities. */
  get config() {
    return { sentinels: this.sentinels.map(({ host, port }) => ({ host, port })), sentinelName: NAME };
  }

  get isRunning() {
    return this.sentinels.some(({ isRunning }) => isRunning);
  }

  /** Starts all; resolves once each sentinel knows the replica and the other sentinels. */
  async start() {
    for (const server of this.servers) await server.start();
    for (const sentinel of this.sentinels) await sentinel.start();
    await until(() => this.isReady(), 'sentinels that know all');
  }

  /** Whether each sentinel could put the replica in the master's place. */
  async isReady() {
    for (const sentinel of this.sentinels) {
      const known = fields(await redisCommand(sentinel, 'SENTINEL', 'MASTER', NAME));
      if (known.flags !== 'master' || known['num-slaves'] !== '1') return false;
      if (Number(known['num-other-sentinels']) !== this.sentinels.length - 1) return false;
      const [replica] = await redisCommand(sentinel, 'SENTINEL', 'REPLICAS', NAME);
      if (fields(replica)['master-link-status'] !== 'ok') return false;
    }
    return true;
  }

  /** The server that the sentinels say is the master. */
  async master() {
    const asked = this.sentinels.find(({ isRunning }) => isRunning);
    const [, port] = await redisCommand(asked, 'SENTINEL', 'GET-MASTER-ADDR-BY-NAME', NAME);
    return this.servers.find((server) => server.port === Number(port));
  }

  /** Has the replica put in the master's place. */
  async failOver() {
    await redisCommand(this.sentinels[0], 'SENTINEL', 'FAILOVER', NAME);
  }

  async remove() {
    await Promise.all([...this.sentinels, ...this.servers].map((server) => server.remove()));
  }
}

/** Not started yet; `settings` are those of redis.conf for the servers with data. */
exports.createRedisSentinels = (settings = {}) => new RedisSentinels(settings);
