import { setting } from '../config/current.js';
import { InvalidArgumentError } from '../errors.js';
import { warnOfUnknown } from '../unknown.js';
import { boolean, integer, invalid, string } from '../validate.js';

/** Where a server, a Sentinel or a node of a Cluster listens. */
export interface RedisAddress {
  /** @default '127.0.0.1' */
  host?: string | undefined;
  /** @default 6379; of a Sentinel 26379 */
  port?: number | undefined;
}

type Pem = string | Uint8Array | readonly (string | Uint8Array)[];

/** TLS, in the words of Node's `tls.connect`. Certificates and keys are PEM. */
export interface RedisTLSOptions {
  /** Whom to trust. @default whom the system trusts */
  ca?: Pem | undefined;
  /** The client's own certificate. */
  cert?: Pem | undefined;
  /** The key of `cert`. */
  key?: Pem | undefined;
  /** The name that the server's certificate is for. @default the host */
  servername?: string | undefined;
  /** false: any certificate will do. @default true */
  rejectUnauthorized?: boolean | undefined;
}

/** Where Redis is and who asks. Names that are unknown are ignored, with a warning. */
export interface RedisOptions extends RedisAddress {
  /** `redis[s]://[[user][:password]@]host[:port][/db]`, or `unix:///path`; other options win over what it says. */
  url?: string | undefined;
  /** A Unix socket, instead of host and port. */
  path?: string | undefined;
  /** Of an ACL user. */
  username?: string | undefined;
  password?: string | undefined;
  /** The number of the database, 0 to 65,535. @default 0 */
  db?: number | undefined;
  /** @default false; true with `rediss:` */
  tls?: boolean | RedisTLSOptions | undefined;
  /** Sentinels that know the master `sentinelName`, instead of its address. */
  sentinels?: readonly RedisAddress[] | undefined;
  sentinelName?: string | undefined;
  sentinelUsername?: string | undefined;
  sentinelPassword?: string | undefined;
  /** Whether Sentinels are talked to by TLS. @default true where there is `tls` */
  sentinelTLS?: boolean | undefined;
  /** Some nodes of a Cluster, which know the others. */
  cluster?: readonly RedisAddress[] | undefined;
  /** For one attempt to connect, in milliseconds, 1 to 600,000. @default 5,000 */
  connectTimeout?: number | undefined;
}

/** A client of Redis that the service has, such as ioredis or node-redis. Of its commands only those that evaluate scripts are called. */
export interface RedisClient {
  eval(...args: any[]): any;
}

/** The Redis that an option names: how to connect, or the client of the service's that does. */
export interface RedisSource {
  readonly spec: string | undefined;
  readonly client: unknown;
}

/** @throws InvalidArgumentError, whose message never shows a password */
export function redisSource(given: string | RedisOptions | RedisClient): RedisSource {
  const isClient = typeof (given as Partial<RedisClient> | undefined)?.eval === 'function';
  return isClient
    ? { spec: undefined, client: given }
    : { spec: redisSpec(given as string | RedisOptions), client: undefined };
}

/** What the names of keys begin with, before a hash tag. @throws InvalidArgumentError */
export function keyPrefix(name: string, value: unknown): string {
  const prefix = string(name, value);
  if (!prefix.includes('{}')) return prefix;
  return invalid(name, 'without "{}", which would take the hash tag of the keys out of use', prefix);
}

const NAMES: readonly string[] = [
  ...['url', 'host', 'port', 'path', 'username', 'password', 'db', 'tls', 'connectTimeout', 'cluster'],
  ...['sentinels', 'sentinelName', 'sentinelUsername', 'sentinelPassword', 'sentinelTLS'],
];
const TLS_NAMES: readonly string[] = ['ca', 'cert', 'key', 'servername', 'rejectUnauthorized'];

const PORT = 6379;
const SENTINEL_PORT = 26379;

/**
 * Checks how to connect and writes it down as the native link reads it: names and values, separated by NUL. Options that
 * mean the same are written alike. Messages never show a password.
 *
 * @throws InvalidArgumentError
 */
export function redisSpec(given: string | RedisOptions): string {
  const options = typeof given === 'string' ? fromURL(given) : merged(given);
  const fields = [...topology(options), ...login(options), ...encryption(options)];
  fields.push([
    'connectTimeout',
    String(
      integer('redis.connectTimeout', options.connectTimeout ?? setting('redis.connectTimeout'), 1, 600_000),
    ),
  ]);
  return fields.flat().join('\0');
}

type Field = [name: string, value: string];

function merged(given: RedisOptions): RedisOptions {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    invalid('redis', 'a URL or an object', given);
  }
  warnOfUnknown('redis', given, NAMES);
  const told = Object.entries(given).filter(([, value]) => value !== undefined && value !== null);
  const options = Object.fromEntries(told) as RedisOptions;
  return options.url === undefined ? options : { ...fromURL(text('redis.url', options.url)), ...options };
}

const SCHEMES: Record<string, RedisOptions> = {
  'redis:': {},
  'valkey:': {},
  'rediss:': { tls: true },
  'valkeys:': { tls: true },
};

function fromURL(url: string): RedisOptions {
  // It can have a password in it, which is shown to nobody.
  const wrong = (): never => {
    throw new InvalidArgumentError(
      '"redis" must be a URL like "redis://user:password@host:6379/0", "rediss://host" or "unix:///path"',
    );
  };
  if (!URL.canParse(url)) return wrong();
  const { protocol, hostname, port, username, password, pathname } = new URL(url);
  if (protocol === 'unix:') return { path: decodeURIComponent(pathname) };
  const scheme = SCHEMES[protocol];
  if (scheme === undefined || !/^\/?\d*\/?$/.test(pathname)) return wrong();
  const db = /\d+/.exec(pathname);
  return {
    ...scheme,
    ...(hostname !== '' && { host: decodeURIComponent(hostname).replace(/^\[(.*)\]$/, '$1') }),
    ...(port !== '' && { port: Number(port) }),
    ...(username !== '' && { username: decodeURIComponent(username) }),
    ...(password !== '' && { password: decodeURIComponent(password) }),
    ...(db !== null && { db: Number(db[0]) }),
  };
}

function topology(options: RedisOptions): Field[] {
  const { sentinels, sentinelName, cluster, path } = options;
  const kinds = [sentinels, cluster, path].filter((kind) => kind !== undefined);
  if (kinds.length > 1) {
    throw new InvalidArgumentError('"redis" must have one of "sentinels", "cluster" and "path" at most');
  }
  const db = integer('redis.db', options.db ?? 0, 0, 65_535);
  if (cluster !== undefined) {
    if (db !== 0) invalid('redis.db', '0, as a Cluster has no other', db);
    return [['topology', 'cluster'], ...addresses('redis.cluster', cluster, PORT)];
  }
  const database: Field[] = db === 0 ? [] : [['db', String(db)]];
  if (sentinels !== undefined) {
    const name = text('redis.sentinelName', sentinelName);
    return [
      ['topology', 'sentinel'],
      ['master', name],
      ...addresses('redis.sentinels', sentinels, SENTINEL_PORT),
      ...database,
    ];
  }
  if (path === undefined) return [address('redis', options, PORT), ...database];
  if (!text('redis.path', path).startsWith('/')) invalid('redis.path', 'an absolute path', path);
  return [['address', path], ...database];
}

function addresses(name: string, given: unknown, port: number): Field[] {
  if (!Array.isArray(given) || given.length === 0) return invalid(name, 'an array of addresses', given);
  return given.map((one, index) => address(`${name}[${index}]`, one, port));
}

function address(name: string, given: RedisAddress, usual: number): Field {
  if (typeof given !== 'object' || given === null)
    return invalid(name, 'an object with "host" and "port"', given);
  const host = text(`${name}.host`, given.host ?? '127.0.0.1');
  if (!/^[^\s/]+$/.test(host)) invalid(`${name}.host`, 'the name or address of a host', host);
  return ['address', `${host} ${integer(`${name}.port`, given.port ?? usual, 1, 65_535)}`];
}

function login(options: RedisOptions): Field[] {
  const names = ['username', 'password', 'sentinelUsername', 'sentinelPassword'] as const;
  // An empty password is none, as an unset environment variable gives it.
  return names.flatMap((name): Field[] =>
    options[name] ? [[name, secret(`redis.${name}`, options[name])]] : [],
  );
}

function encryption({ tls = false, sentinelTLS = true }: RedisOptions): Field[] {
  boolean('redis.sentinelTLS', sentinelTLS);
  if (typeof tls !== 'object' || tls === null)
    return boolean('redis.tls', tls) ? withSentinels([['tls', '']], sentinelTLS) : [];
  warnOfUnknown('redis.tls', tls, TLS_NAMES);
  const { ca, cert, key, servername, rejectUnauthorized = true } = tls;
  if ((cert === undefined) !== (key === undefined)) {
    throw new InvalidArgumentError('"redis.tls" must have both "cert" and "key", or neither');
  }
  const fields: Field[] = [['tls', '']];
  if (ca !== undefined) fields.push(['ca', pem('redis.tls.ca', ca)]);
  if (cert !== undefined) fields.push(['cert', pem('redis.tls.cert', cert)]);
  if (key !== undefined) fields.push(['key', pem('redis.tls.key', key)]);
  if (servername !== undefined) fields.push(['serverName', text('redis.tls.servername', servername)]);
  if (!boolean('redis.tls.rejectUnauthorized', rejectUnauthorized)) fields.push(['insecure', '']);
  return withSentinels(fields, sentinelTLS);
}

function withSentinels(fields: Field[], sentinelTLS: boolean): Field[] {
  return sentinelTLS ? [...fields, ['sentinelTls', '']] : fields;
}

/** A text that says something, and holds no NUL, which separates the fields. */
function text(name: string, value: unknown): string {
  const given = string(name, value);
  return given === '' || given.includes('\0') ? invalid(name, 'a string that is not empty', value) : given;
}

/** As `text`, of what is shown to nobody. */
function secret(name: string, value: unknown): string {
  if (typeof value === 'string' && !value.includes('\0')) return value;
  throw new InvalidArgumentError(`"${name}" must be a string, but it is a ${typeof value}`);
}

function pem(name: string, given: Pem): string {
  const parts = Array.isArray(given) ? given : [given];
  const texts = parts.map((part) => (part instanceof Uint8Array ? Buffer.from(part).toString() : part));
  const is = (part: unknown): boolean =>
    typeof part === 'string' && part.includes('-----BEGIN ') && !part.includes('\0');
  if (texts.length > 0 && texts.every(is)) return texts.join('\n');
  throw new InvalidArgumentError(`"${name}" must be PEM: a text with "-----BEGIN …-----" in it`);
}
