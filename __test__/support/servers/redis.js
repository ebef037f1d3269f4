const { mkdirSync } = require('node:fs');
const { join } = require('node:path');
const { hand } = require('./account.js');
const { program } = require('./programs.js');
const { redisClient, redisCommand, until } = require('./redisCommand.js');
const { ServerProcess } = require('./serverProcess.js');

/** What a server is started with: nothing is written to a disk, and a replica has all of its master at once. */
const SETTINGS = {
  bind: '127.0.0.1',
  save: '',
  appendonly: 'no',
  'repl-diskless-sync-delay': 0,
  'repl-ping-replica-period': 1,
};

/** With a certificate, the port is one of TLS. */
function listeners(port, settings) {
  return settings['tls-cert-file'] ? { port: 0, 'tls-port': port } : { port };
}

function command(folder, port, settings) {
  const all = Object.entries({
    ...SETTINGS,
    dir: join(folder, 'data'),
    ...listeners(port, settings),
    ...settings,
  });
  const flags = all.flatMap(([name, value]) => [`--${name}`, ...String(value).split(' ')]);
  return [program('redis-server'), ...flags];
}

const REDIS = {
  title: 'Redis',
  data: (data) => {
    mkdirSync(data);
    hand(data);
  },
  command,
  ready: /Ready to accept connections/,
  stopSignal: 'SIGTERM',
};

/** Nodes of a Cluster talk to each other at a port that lies so far above the one for clients. */
const BUS = 10_000;

/** Of a server that was made with `settings`. */
function kind({ requirepass, 'tls-cert-file': certificate, 'cluster-enabled': cluster }) {
  const password = requirepass === undefined ? {} : { password: requirepass };
  // Specs check certificates with clients of their own.
  const tls = certificate === undefined ? {} : { tls: { rejectUnauthorized: false } };
  return { ...REDIS, config: { ...password, ...tls }, secondPort: cluster === 'yes' ? BUS : 0 };
}

class RedisServer extends ServerProcess {
  /** The answer to one command on a connection of its own. */
  command(...command) {
    return redisCommand(this, ...command);
  }

  /** A client of ioredis with a connection of its own; who asks for it closes it. */
  client(options) {
    return redisClient(this, options);
  }
}

/** A Redis of its own, not started yet; `settings` are those of redis.conf. */
exports.createRedis = (settings = {}) => new RedisServer(kind(settings), settings);

class RedisReplica extends RedisServer {
  #master;

  constructor(master, settings) {
    super(kind(settings), {
      // A master has its port when it has been started.
      get replicaof() {
        return `${master.host} ${master.port}`;
      },
      ...settings,
    });
    this.#master = master;
  }

  /** Starts it; resolves once it has all that its master has. */
  async start() {
    await super.start();
    const linked = async () => /master_link_status:up/.test(await this.command('INFO', 'replication'));
    await until(linked, `a replica of port ${this.#master.port}`);
  }
}

/** A replica of a Redis that has to be started before it. */
exports.createRedisReplica = (master, settings = {}) => new RedisReplica(master, settings);
