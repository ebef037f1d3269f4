const { createRedis } = require('./redis.js');
const { redisCommand, until } = require('./redisCommand.js');

const NODES = 3;
const SLOTS = 16_384;

const SETTINGS = { 'cluster-enabled': 'yes', 'cluster-node-timeout': 2000 };

/** The slots that a node has at first, a third of all. */
const share = (node) => {
  const first = Math.ceil((node * SLOTS) / NODES);
  return Array.from({ length: Math.ceil(((node + 1) * SLOTS) / NODES) - first }, (_, index) => first + index);
};

/** Whether a line of CLUSTER NODES is of a node that has been met and is connected to. */
const isLinked = (line) => {
  const [, , flags, , , , , link] = line.split(' ');
  return link === 'connected' && !/handshake|fail|noaddr/.test(flags);
};

/** A Cluster of three masters. */
class RedisCluster {
  constructor(settings) {
    this.nodes = Array.from({ length: NODES }, () => createRedis({ ...SETTINGS, ...settings }));
  }

  /** How to connect, named as the config of keelson's utilities. */
  get config() {
    return { cluster: this.nodes.map(({ host, port }) => ({ host, port })) };
  }

  get isRunning() {
    return this.nodes.some(({ isRunning }) => isRunning);
  }

  /** Starts the nodes and makes a Cluster of them; resolves once each of them serves its slots. */
  async start() {
    for (const node of this.nodes) await node.start();
    for (const [index, node] of this.nodes.entries()) {
      await node.command('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
      await node.command('CLUSTER', 'ADDSLOTS', ...share(index));
    }
    const [first, ...others] = this.nodes;
    for (const { host, port } of others) await first.command('CLUSTER', 'MEET', host, port);
    await until(() => this.isReady(), 'a Cluster that serves all slots');
  }

  /** Whether each node knows of all, serves, and has a way to all: what is published is sent to no other. */
  async isReady() {
    for (const node of this.nodes) {
      const info = await node.command('CLUSTER', 'INFO');
      if (!/cluster_state:ok/.test(info) || !info.includes(`cluster_size:${NODES}`)) return false;
      const known = String(await node.command('CLUSTER', 'NODES'))
        .trim()
        .split('\n');
      if (known.length !== NODES || !known.every(isLinked)) return false;
    }
    return true;
  }

  async remove() {
    await Promise.all(this.nodes.map((node) => node.remove()));
  }

  /** The slot of a key, by the Cluster's own rule. */
  slotOf(key) {
    return this.nodes[0].command('CLUSTER', 'KEYSLOT', key);
  }

  /** The node that has a slot. */
  async ownerOf(slot) {
    const ranges = await this.nodes[0].command('CLUSTER', 'SLOTS');
    const [, , [, port]] = ranges.find(([first, last]) => first <= slot && slot <= last);
    return this.nodes.find((node) => node.port === port);
  }

  /**
   * Moves a slot to another node in the three steps of redis-cli: both nodes are told, then its keys are moved, then all
   * nodes learn the new owner. `during` is awaited after the first step and after the second: clients are sent to and fro.
   */
  async migrate(slot, to, during = async () => {}) {
    const from = await this.ownerOf(slot);
    const [source, target] = await Promise.all([from, to].map((node) => node.command('CLUSTER', 'MYID')));
    await to.command('CLUSTER', 'SETSLOT', slot, 'IMPORTING', source);
    await from.command('CLUSTER', 'SETSLOT', slot, 'MIGRATING', target);
    await during();
    await moveKeys(slot, from, to);
    await during();
    const others = this.nodes.filter((node) => node !== to);
    for (const node of [to, ...others]) await node.command('CLUSTER', 'SETSLOT', slot, 'NODE', target);
  }
}

/** Moves keys until the slot has none at its old node. */
async function moveKeys(slot, from, to) {
  for (;;) {
    const keys = await from.command('CLUSTER', 'GETKEYSINSLOT', slot, 100);
    if (keys.length === 0) return;
    await redisCommand(from, 'MIGRATE', to.host, to.port, '', 0, 5000, 'KEYS', ...keys);
  }
}

/** Not started yet; `settings` are those of redis.conf for each node. */
exports.createRedisCluster = (settings = {}) => new RedisCluster(settings);
