import { setting } from '../config/current.js';
import { InvalidArgumentError } from '../errors.js';
import type { ConnectionPoolOptions } from '../pool/options.js';
import { duration } from '../pool/options.js';
import { callable, integer, invalid, number, oneOf, options, string } from '../validate.js';
import type { Driver, DriverConnection } from './driver.js';
import type { RetryBudgetOptions } from './retry.js';

/** Drivers that come with keelson, over clients that do not. */
export type DriverName = 'pg' | 'mysql2' | 'sqlite';

/** What a factory of one's own has to give; it may have more of what a driver's connection has. */
export type CustomConnection = Pick<DriverConnection, 'query' | 'close'> & Partial<DriverConnection>;

/** Where the database is, and how to use it. Times are in milliseconds. Names that are unknown are ignored, with a warning. */
export interface DatabaseConfig {
  /** @default 'localhost' */
  host?: string | undefined;
  /** @default 5432 for pg, 3306 for mysql2 */
  port?: number | undefined;
  /** Its name; with SQLite its file, or ':memory:'. */
  database?: string | undefined;
  username?: string | undefined;
  password?: string | undefined;
  /** 1 to 65,536. @default 10; 1 with SQLite, whose statements block each other anyway */
  maxConnections?: number | undefined;
  /** Kept open, 0 to `maxConnections`. @default 2, or `maxConnections` if that is less */
  minConnections?: number | undefined;
  /** For opening a connection, and for waiting for one. @default 10,000 */
  connectionTimeout?: number | undefined;
  /** For a call in all, its waiting and its retries included, unless it has its own. @default 30,000 */
  queryTimeout?: number | undefined;
  /** @default 'pg' */
  driver?: DriverName | Driver | undefined;
  /** A factory of one's own, instead of a driver. */
  create?:
    | ((context: { signal: AbortSignal }) => CustomConnection | PromiseLike<CustomConnection>)
    | undefined;
  /** TLS: true, or options of Node's `tls.connect`. @default false */
  ssl?: boolean | object | undefined;
  /** Other options of the pool. */
  pool?: Omit<ConnectionPoolOptions, 'max' | 'min'> | undefined;
  /** 'primary': connections to a server that takes no writes are not used. @default 'any' */
  role?: 'primary' | 'any' | undefined;
  retryBudget?: RetryBudgetOptions | undefined;
}

/** Where a driver connects to. */
export interface DatabaseSettings {
  readonly host: string;
  /** Undefined: the driver's usual one. */
  readonly port: number | undefined;
  readonly database: string;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly ssl: boolean | object;
}

/** A checked {@link DatabaseConfig}. */
export interface Settings {
  readonly connect: DatabaseSettings;
  readonly driver: DriverName | Driver | undefined;
  readonly create: DatabaseConfig['create'];
  readonly queryTimeout: number;
  readonly connectionTimeout: number;
  readonly role: 'primary' | 'any';
  readonly retryBudget: { ratio: number; minPerSecond: number };
  readonly pool: ConnectionPoolOptions;
}

const NAMES = new Set<string>([
  ...['host', 'port', 'database', 'username', 'password', 'maxConnections', 'minConnections'],
  ...['connectionTimeout', 'queryTimeout', 'driver', 'create', 'ssl', 'pool', 'role', 'retryBudget'],
]);

const warned = new Set<string>();

/** Warns once of each name that a configuration has in vain. */
export function warnOfUnknown(what: string, given: object, known: ReadonlySet<string>): void {
  for (const key of Object.keys(given)) {
    const name = `${what}.${key}`;
    if (known.has(key) || warned.has(name)) continue;
    warned.add(name);
    process.emitWarning(
      `"${name}" is not known to DatabaseConnectionPool and has no effect`,
      'KeelsonWarning',
    );
  }
}

/** Checks a configuration. Messages never show a password. @throws InvalidArgumentError */
export function databaseSettings(config: DatabaseConfig): Settings {
  if (typeof config !== 'object' || config === null) {
    // It may be a URL, with a password in it.
    throw new InvalidArgumentError(`"config" must be an object, but it is ${config && `a ${typeof config}`}`);
  }
  warnOfUnknown('config', config, NAMES);
  const {
    connectionTimeout = setting('database.connectionTimeout'),
    queryTimeout = setting('database.queryTimeout'),
    create,
    role = 'any',
    retryBudget = {},
  } = config;
  const driver = driverOf(config);
  const { ratio = 0.2, minPerSecond = 10 } = options<RetryBudgetOptions>('retryBudget', retryBudget, [
    'ratio',
    'minPerSecond',
  ]);
  return {
    connect: connectSettings(config, driver),
    driver,
    create: create === undefined ? undefined : callable<NonNullable<typeof create>>('create', create),
    queryTimeout: duration('queryTimeout', queryTimeout, 1),
    connectionTimeout: duration('connectionTimeout', connectionTimeout, 1),
    role: oneOf('role', role, ['primary', 'any']),
    retryBudget: {
      ratio: number('retryBudget.ratio', ratio, 0, 1),
      minPerSecond: number('retryBudget.minPerSecond', minPerSecond, 0, 1e6),
    },
    pool: poolOptions(config, driver, connectionTimeout),
  };
}

function driverOf({ driver, create }: DatabaseConfig): DriverName | Driver | undefined {
  if (driver === undefined) return create === undefined ? 'pg' : undefined;
  if (create !== undefined)
    throw new InvalidArgumentError('"create" takes the place of "driver": give one of them');
  if (typeof driver !== 'object' || driver === null)
    return oneOf<DriverName>('driver', driver, ['pg', 'mysql2', 'sqlite']);
  callable('driver.connect', driver.connect);
  if (driver.begin !== undefined) callable('driver.begin', driver.begin);
  return driver;
}

function connectSettings(config: DatabaseConfig, driver: Settings['driver']): DatabaseSettings {
  const { host = 'localhost', port, database, username, password, ssl = false } = config;
  // A database's default, such as the user's name, is more often a mistake than meant.
  if (typeof driver === 'string' && database === undefined) {
    invalid('database', driver === 'sqlite' ? `a file, or ':memory:'` : 'the name of a database', database);
  }
  // Neither of these is shown: a password or a key may be where it does not belong.
  if (password !== undefined && typeof password !== 'string') {
    throw new InvalidArgumentError(`"password" must be a string, but it is a ${typeof password}`);
  }
  if (typeof ssl !== 'boolean' && (typeof ssl !== 'object' || ssl === null)) {
    throw new InvalidArgumentError(
      `"ssl" must be a boolean or options of tls.connect, but it is a ${typeof ssl}`,
    );
  }
  return {
    host: string('host', host),
    port: port === undefined ? undefined : integer('port', port, 1, 65_535),
    database: string('database', database ?? ''),
    username: username === undefined ? undefined : string('username', username),
    password,
    ssl,
  };
}

/** SQLite runs in this thread, so that a second connection gains nothing; and a database in memory has only one. */
const EMBEDDED: ConnectionPoolOptions = {
  idleTimeout: Number.POSITIVE_INFINITY,
  maxLifetime: Number.POSITIVE_INFINITY,
};

function poolOptions(
  config: DatabaseConfig,
  driver: Settings['driver'],
  timeout: number,
): ConnectionPoolOptions {
  const embedded = driver === 'sqlite';
  const { maxConnections = embedded ? 1 : setting('database.maxConnections'), pool = {} } = config;
  const max = integer('maxConnections', maxConnections, 1, 65_536);
  if (embedded && config.database === ':memory:' && max > 1) {
    invalid(
      'maxConnections',
      `1 with ':memory:', since each connection would have a database of its own`,
      max,
    );
  }
  const { minConnections = Math.min(setting('database.minConnections'), max) } = config;
  const min = integer('minConnections', minConnections, 0, max);
  if (typeof pool !== 'object' || pool === null) invalid('pool', 'an object', pool);
  for (const name of ['max', 'min'] as const) {
    if (name in pool) throw new InvalidArgumentError(`"pool.${name}" is called "${name}Connections" here`);
  }
  const defaults = { acquireTimeout: timeout, createTimeout: timeout, ...(embedded && EMBEDDED) };
  return { ...defaults, ...pool, max, min };
}
