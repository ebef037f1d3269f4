/** What an error of any driver means to the pool. */
export type ErrorKind =
  /** The connection is gone, or of no use. */
  | 'connection'
  /** Transactions got in each other's way: the same again may succeed. */
  | 'serialization'
  /** SQLite's lock is held by another connection: nothing was done. */
  | 'busy'
  /** The server takes no writes. */
  | 'readOnly'
  /** Something else: the statement's own fault. */
  | 'other';

/** What drivers hang on their errors. */
interface DriverError {
  /** SQLSTATE (pg), a name (mysql2, SQLite), or Node's. */
  code?: unknown;
  /** MySQL. */
  sqlState?: unknown;
  errno?: unknown;
  /** node:sqlite. */
  errcode?: unknown;
  message?: unknown;
}

const SERIALIZATION_STATES = new Set(['40001', '40P01']);
/** MySQL's deadlock, and MariaDB's "record has changed since last read". */
const SERIALIZATION_NUMBERS = new Set<unknown>([1213, 1020]);
/** MySQL's --read-only, among other options that it names, and its read-only mode. */
const isReadOnly = (errno: unknown, text: unknown): boolean =>
  errno === 1836 || (errno === 1290 && /read.only/.test(String(text)));
/** SQLITE_BUSY and SQLITE_LOCKED, with their extended codes. */
const isBusy = (errcode: unknown): boolean =>
  typeof errcode === 'number' && ((errcode & 255) === 5 || (errcode & 255) === 6);

const LOST = new Set([
  ...['ECONNRESET', 'ECONNREFUSED', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH'],
  ...['PROTOCOL_CONNECTION_LOST', 'ER_SERVER_SHUTDOWN', 'ER_CONNECTION_KILLED'],
]);
/** What pg and mysql2 say, without a code, of a connection that ended. */
const LOST_TEXT =
  /^(Connection terminated|Client has encountered a connection error|Client was closed|Can't add new command when connection is in closed state)/;

/** Sorts an error by its codes; a driver's connection decides better where it can. */
export function kindOf(error: unknown): ErrorKind {
  if (typeof error !== 'object' || error === null) return 'other';
  try {
    return sorted(error);
  } catch {
    // A getter of it throws.
    return 'other';
  }
}

function sorted(error: object): ErrorKind {
  const { code, sqlState, errno, errcode, message } = error as DriverError;
  const text = typeof code === 'string' ? code : '';
  const state = typeof sqlState === 'string' ? sqlState : text;
  if (SERIALIZATION_STATES.has(state) || SERIALIZATION_NUMBERS.has(errno)) return 'serialization';
  if (/^SQLITE_(BUSY|LOCKED)/.test(text) || isBusy(errcode)) return 'busy';
  if (state === '25006' || isReadOnly(errno, message)) return 'readOnly';
  if (LOST.has(text) || /^(08...|57P0.)$/.test(state)) return 'connection';
  return typeof message === 'string' && LOST_TEXT.test(message) ? 'connection' : 'other';
}
