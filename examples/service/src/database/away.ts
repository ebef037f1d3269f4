/** What is read of errors. Those of Node's own are no `Error` of a jest realm, so that nobody asks what they are. */
interface Failure {
  message: string;
  code?: unknown;
  /** Of node:sqlite. */
  errcode?: unknown;
  /** The pool's errors have there what happened below. */
  cause?: Failure;
}

/** The database cannot be reached, or is too busy: nothing is wrong with what was asked of it. */
export class DatabaseAwayError extends Error {
  constructor(cause: Failure) {
    super(`The database is away: ${rootOf(cause).message}`, { cause });
  }
}

const rootOf = (failure: Failure): Failure => (failure.cause ? rootOf(failure.cause) : failure);

/** Codes of the pool, of Node, of PostgreSQL (connection, resources, operator, rolled back) and of SQLite. */
const AWAY = [
  /^ERR_KEELSON_(TIMEOUT|POOL_\w+|QUEUE_FULL|DESTROYED)$/,
  /^(ECONN\w+|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN)$/,
  /^(08|40|53|57P)\w+$/,
  /^SQLITE_BUSY/,
];
/** What pg says, without a code, of a connection that ended. */
const ENDED = /^Connection terminated|^Client has encountered a connection error/;
/** SQLITE_BUSY as node:sqlite has it. */
const BUSY = 5;

/** Tells an outage from a mistake. */
function isAway({ code, errcode, message, cause }: Failure): boolean {
  // One of many rows: the cause is what happened.
  if (code === 'ERR_KEELSON_BATCH' && cause) return isAway(cause);
  if (code === undefined) return ENDED.test(message);
  return errcode === BUSY || AWAY.some((pattern) => pattern.test(String(code)));
}

/** Settles as the work does, but tells an outage by an error of its own. */
export async function telling<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw isAway(error as Failure) ? new DatabaseAwayError(error as Failure) : error;
  }
}
