import type { DatabaseConfig } from '../lib/utilities/database/connectionPool';

/** Where the catalogue is kept. */
export type DatabaseSettings =
  | { kind: 'sqlite'; file: string }
  | { kind: 'postgres'; url: URL; ssl: boolean | object; maxConnections: number };

/** Gone with the process: what a service has that was not told of a database. */
export const IN_MEMORY: DatabaseSettings = { kind: 'sqlite', file: ':memory:' };

/** Whether nobody else can see what is in it. */
export function isInMemory(settings: DatabaseSettings): boolean {
  return settings.kind === 'sqlite' && settings.file === ':memory:';
}

/** Connections of an instance to PostgreSQL; one of them listens for changes. */
export const POOL_MAX = { default: 10, min: 2, max: 1000 };

/** `sslmode` as libpq has it: `require` encrypts, `verify-full` looks at the certificate too. */
const SSL_MODES: Record<string, boolean | object> = {
  disable: false,
  require: { rejectUnauthorized: false },
  'verify-full': true,
};

/**
 * Reads `postgres://user:password@host:port/name?sslmode=…` or `sqlite:FILE`.
 * @throws {RangeError} for anything else; the message does not show it, since there may be a password in it
 */
export function readDatabaseUrl(text: string, maxConnections: number): DatabaseSettings {
  if (/^sqlite:./.test(text)) return { kind: 'sqlite', file: text.slice('sqlite:'.length) };
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^postgres(ql)?:$/.test(url.protocol) || url.pathname.length < 2)
    throw new RangeError('DATABASE_URL must be postgres://user:password@host:port/name or sqlite:FILE');
  const mode = url.searchParams.get('sslmode') ?? 'disable';
  const ssl = SSL_MODES[mode];
  if (ssl === undefined)
    throw new RangeError(`The sslmode of DATABASE_URL must be one of ${Object.keys(SSL_MODES).join(', ')}`);
  return { kind: 'postgres', url, ssl, maxConnections };
}

/** A database that is away is told of soon, before the request is given up, and looked for about every second. */
const OUTAGE = { onOutage: 'fail', backoff: { min: 50, max: 1000 }, closeTimeout: 1000 } as const;

/** What the pool is made with; `patience` is what a request has, in milliseconds. */
export function poolConfig(settings: DatabaseSettings, patience: number): DatabaseConfig {
  if (settings.kind === 'sqlite') {
    // There is one connection, for which an import or export is waited; what waits too long is answered 504.
    return {
      driver: 'sqlite',
      database: settings.file,
      connectionTimeout: 60_000,
      pool: { name: 'catalogue' },
    };
  }
  const { url, ssl, maxConnections } = settings;
  return {
    driver: 'pg',
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? 5432 : Number(url.port),
    database: decodeURIComponent(url.pathname.slice(1)),
    ...(url.username !== '' && { username: decodeURIComponent(url.username) }),
    ...(url.password !== '' && { password: decodeURIComponent(url.password) }),
    ssl,
    maxConnections,
    connectionTimeout: patience,
    // A server that has failed over takes no writes any more.
    role: 'primary',
    pool: { name: 'catalogue', ...OUTAGE },
  };
}
