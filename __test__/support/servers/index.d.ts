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
export interface ServerProcess {
  readonly host: string;
  /** Known once it was started, and kept from then on. */
  readonly port: number;
  readonly config: ServerConfig;
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

/** A port of the loopback interface that nobody listens at, and that no outgoing connection takes. */
export function freePort(): Promise<number>;
