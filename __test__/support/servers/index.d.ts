import type { Redis, RedisOptions } from 'ioredis';

/** Named as in the server's configuration file. */
export type Settings = Record<string, string | number>;

/** How to connect, named as DatabaseConnectionPool's config. */
export interface ServerConfig {
  host: string;
  port: number;
  database: string;
  username: string;
  password: string;
}

/** A server of one's own, in a temporary folder, on a free port of the loopback interface. */
export interface ServerProcess<Config = ServerConfig> {
  readonly host: string;
  /** Known once it was started, and kept from then on. */
  readonly port: number;
  readonly config: Config;
  /** What it printed last. */
  readonly log: string;
  readonly isRunning: boolean;
  /** Starts it, on the port and with the data that it had before; resolves once it takes connections. */
  start(): Promise<void>;
  /** Ends it in order; its clients are told. */
  stop(): Promise<void>;
  /** Kills all of its processes with SIGKILL. */
  kill(): Promise<void>;
  /** `stop()` and `start()`. */
  restart(): Promise<void>;
  /** Kills it and removes its folder. Happens as well when this process ends without it. */
  remove(): Promise<void>;
}

/** A PostgreSQL, not started yet. */
export function createPostgres(settings?: Settings): ServerProcess;
/** A MariaDB, not started yet. */
export function createMariaDB(settings?: Settings): ServerProcess;

/** How to connect to a Redis, named as the limiter's `redis`. */
export interface RedisConfig {
  host: string;
  port: number;
  password?: string;
  /** For the commands of specs: the certificate is not checked. */
  tls?: { rejectUnauthorized: false };
}

/** A Redis that keeps nothing on a disk: its data is gone when it is stopped. */
export interface RedisServer extends ServerProcess<RedisConfig> {
  /** The answer to one command on a connection of its own. */
  command(name: string, ...args: (string | number | Buffer)[]): Promise<any>;
  /** A client of ioredis with a connection of its own, which tries nothing again; who asks for it closes it. */
  client(options?: RedisOptions): Redis;
}

/** Named as the limiter's `redis`. */
export interface Address {
  host: string;
  port: number;
}

/** A master, a replica and three sentinels that put it in the master's place within seconds. */
export interface RedisSentinels {
  readonly config: { sentinels: Address[]; sentinelName: string };
  readonly isRunning: boolean;
  /** The servers with data: the first master, and its replica. */
  readonly servers: readonly RedisServer[];
  readonly sentinels: readonly ServerProcess<Address>[];
  /** Starts all; resolves once each sentinel knows the replica and the other sentinels. */
  start(): Promise<void>;
  /** Whether each sentinel could put the replica in the master's place. */
  isReady(): Promise<boolean>;
  /** The server that the sentinels say is the master. */
  master(): Promise<RedisServer>;
  /** Has the replica put in the master's place. */
  failOver(): Promise<void>;
  remove(): Promise<void>;
}

/** A Cluster of three masters. */
export interface RedisCluster {
  readonly config: { cluster: Address[] };
  readonly isRunning: boolean;
  readonly nodes: readonly RedisServer[];
  /** Starts the nodes and makes a Cluster of them; resolves once each of them serves its slots. */
  start(): Promise<void>;
  /** Whether each node knows of all, and serves. */
  isReady(): Promise<boolean>;
  /** The slot of a key, by the Cluster's own rule. */
  slotOf(key: string): Promise<number>;
  /** The node that has a slot. */
  ownerOf(slot: number): Promise<RedisServer>;
  /**
   * Moves a slot and its keys to another node. `during` is awaited before its keys are moved and before all nodes learn
   * the new owner: clients are sent to and fro meanwhile.
   */
  migrate(slot: number, to: RedisServer, during?: () => Promise<void>): Promise<void>;
  remove(): Promise<void>;
}

/** A Redis, not started yet; `settings` are those of redis.conf. A certificate makes its port one of TLS. */
export function createRedis(settings?: Settings): RedisServer;
/** A replica of a Redis that has to be started before it. */
export function createRedisReplica(master: RedisServer, settings?: Settings): RedisServer;
/** Not started yet; `settings` are those of the servers with data. */
export function createRedisSentinels(settings?: Settings): RedisSentinels;
/** Not started yet; `settings` are those of each node. */
export function createRedisCluster(settings?: Settings): RedisCluster;

/**
 * A port of the loopback interface that nobody listens at, and that no outgoing connection takes. The same holds for the one that lies
 * `second` above it.
 */
export function freePort(second?: number): Promise<number>;
