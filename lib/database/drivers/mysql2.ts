import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import type { DatabaseSettings } from '../config.js';
import {
  type Driver,
  type DriverConnection,
  type RowReader,
  type Statement,
  sequence,
  type TransactionMode,
} from '../driver.js';
import { kindOf } from '../kinds.js';
import { cancelUntil, settlesWithin, stopped } from './cancel.js';
import { loaded } from './load.js';
import { joined } from './mysqlRows.js';

type Done = (error: Error | null, rows?: unknown, fields?: unknown) => void;

/** What is used of mysql2. */
interface Mysql {
  createConnection(config: object): MysqlClient;
}

/** A statement that runs, without a callback. */
interface MysqlCommand extends EventEmitter {
  stream(options: { highWaterMark: number }): Readable;
}

interface MysqlClient extends EventEmitter {
  readonly stream: Socket;
  readonly threadId: number | null;
  connect(done: Done): void;
  query(sql: string, params?: readonly unknown[]): MysqlCommand;
  query(sql: string, params: readonly unknown[] | undefined, done: Done): MysqlCommand;
  ping(done: Done): void;
  end(done: Done): void;
  destroy(): void;
}

const loadMysql = (): Mysql => loaded<Mysql>('mysql2', 'mysql2', () => require('mysql2'));

const IN_TRANSACTION = 1;
const AUTOCOMMIT = 2;
/** It ends the transaction where innodb_rollback_on_timeout is on. */
const LOCK_WAIT_TIMEOUT = 1205;

/** Milliseconds in which the rest of a result is awaited before it is cancelled. */
const MOMENT = 50;
/** Milliseconds that stopping a statement may take when its connection is closed, and likewise taking leave. */
const CLOSING = 1_000;
/** Rows that are buffered between server and reader. */
const BUFFERED = 100;

/** Whether an error may have ended the transaction as a whole: what came next would be outside of any. */
const endsTransaction = (error: unknown): boolean =>
  kindOf(error) === 'serialization' || (error as { errno?: unknown }).errno === LOCK_WAIT_TIMEOUT;

/** Calls a function that takes a callback. */
const called = <T>(call: (done: (error: Error | null, value?: T) => void) => void): Promise<T> =>
  new Promise((resolve, reject) => {
    call((error, value) => (error ? reject(error) : resolve(value as T)));
  });

/** A connection over mysql2's Connection. */
class MysqlConnection implements DriverConnection {
  /** Has the password, which logging a connection is not to show. */
  readonly #config: object;
  #broken = false;
  #sent = true;
  /** Whether the server has said that a transaction is open. */
  #open = false;
  /** Whether it has said that no statement opens one. */
  #autocommit = true;
  #shared = false;
  /** Statements without their answer. */
  #running = 0;

  constructor(
    readonly mysql: Mysql,
    readonly client: MysqlClient,
    config: object,
  ) {
    this.#config = config;
    const lost = (): void => {
      this.#broken = true;
    };
    client.on('error', lost);
    client.on('end', lost);
  }

  get native(): MysqlClient {
    this.#shared = true;
    return this.client;
  }

  query(sql: string, params?: readonly unknown[]): Promise<unknown> {
    this.#sent = this.alive();
    this.#running++;
    return new Promise((resolve, reject) => {
      this.client.query(sql, params, (error, rows, fields) => {
        this.#running--;
        if (error) return reject(error);
        this.#note(rows);
        resolve([rows, fields]);
      });
    });
  }

  /** What the server says of transactions with each answer that has no rows. */
  #note(rows: unknown): void {
    const last = Array.isArray(rows) ? rows.at(-1) : rows;
    const status = (last as { serverStatus?: unknown } | undefined)?.serverStatus;
    if (typeof status !== 'number') return;
    this.#open = (status & IN_TRANSACTION) > 0;
    this.#autocommit = (status & AUTOCOMMIT) > 0;
  }

  /** mysql2 sends each as soon as the one before it is answered: the protocol has no pipelines. */
  async pipeline(statements: readonly Statement[]): Promise<PromiseSettledResult<unknown>[]> {
    return Promise.allSettled(statements.map(({ sql, params }) => this.query(sql, params)));
  }

  async many(sql: string, rows: readonly (readonly unknown[])[]): Promise<PromiseSettledResult<unknown>[]> {
    const one = joined(sql, rows);
    if (one !== undefined) {
      const [answer] = (await this.pipeline([one])) as [PromiseSettledResult<unknown>];
      if (answer.status === 'fulfilled' || endsTransaction(answer.reason)) return rows.map(() => answer);
      // It had no effect; one by one they tell which of them it is.
    }
    const statements = rows.map((params) => ({ sql, params }));
    return sequence(this, statements, () => true);
  }

  read(sql: string, params: readonly unknown[] | undefined): RowReader {
    this.#sent = this.alive();
    this.#running++;
    const command = this.client.query(sql, params);
    const end = new Promise<void>((resolve) => {
      const over = (): void => {
        this.#running--;
        resolve();
      };
      command.once('end', over);
      command.once('error', over);
    });
    // Its stream may be gone by the time it fails.
    command.on('error', () => {});
    const rows = command.stream({ highWaterMark: BUFFERED });
    let failure: Error | undefined;
    rows.on('error', (error) => {
      failure = error;
    });
    return {
      read: (count) => this.#read(rows, count, () => failure),
      close: async () => {
        if (rows.readableEnded || failure !== undefined) return;
        // What is on its way comes faster than another connection opens.
        rows.destroy();
        if (await settlesWithin(end, MOMENT)) return;
        await this.cancel(end, { signal: AbortSignal.timeout(10_000) });
      },
    };
  }

  async #read(rows: Readable, count: number, failure: () => Error | undefined): Promise<unknown[]> {
    const batch: unknown[] = [];
    for (;;) {
      const error = failure();
      if (error !== undefined) throw error;
      const row = batch.length < count ? rows.read() : null;
      if (row !== null) batch.push(row);
      else if (batch.length > 0 || rows.readableEnded || rows.destroyed) return batch;
      else await somethingHappens(rows);
    }
  }

  cancel(running: PromiseLike<unknown>, { signal }: { signal: AbortSignal }): Promise<void> {
    return cancelUntil(
      running,
      () => this.#kill(signal),
      () => this.query('SELECT 1'),
    );
  }

  async #kill(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const other = this.mysql.createConnection(this.#config);
    const abort = (): void => void other.stream.destroy();
    signal.addEventListener('abort', abort, { once: true });
    other.on('error', () => {});
    other.stream.unref();
    try {
      await called((done) => other.query(`KILL QUERY ${this.client.threadId}`, undefined, done));
    } finally {
      signal.removeEventListener('abort', abort);
      other.destroy();
    }
  }

  /** Stops whatever is under way: a ping is answered once that is over. */
  #stop(): Promise<void> {
    const signal = AbortSignal.timeout(CLOSING);
    return stopped(this.ping(), () => this.#kill(signal));
  }

  alive(): boolean {
    const { stream } = this.client;
    return !this.#broken && stream.writable && !stream.destroyed;
  }

  ping(): Promise<unknown> {
    return called((done) => this.client.ping(done));
  }

  async isReadOnly(): Promise<boolean> {
    const [rows] = (await this.query('SELECT @@global.read_only AS answer')) as [{ answer: unknown }[]];
    return !['0', 'OFF'].includes(String(rows[0]?.answer));
  }

  reset(): void | Promise<void> {
    if (this.#running > 0) throw new Error('The connection was given back while a statement runs');
    if (!this.#shared && !this.#open && this.#autocommit) return;
    return this.#cleanUp();
  }

  async #cleanUp(): Promise<void> {
    this.#shared = false;
    await this.query('ROLLBACK');
    // The next user's writes would be rolled back, and that in silence.
    if (!this.#autocommit) await this.query('SET autocommit = 1');
  }

  isUnsent(): boolean {
    return this.#broken && !this.#sent;
  }

  ref(): void {
    this.client.stream.ref();
  }

  unref(): void {
    this.client.stream.unref();
  }

  async close(): Promise<void> {
    const isAlive = this.alive();
    // It is being closed: whatever else goes wrong with it is nobody's concern.
    this.#broken = true;
    if (isAlive) {
      // The server would go on with its statement, and `end` would wait for that.
      const isBusy = this.#running > 0;
      const leave = isBusy ? this.#stop() : called((done) => this.client.end(done));
      await settlesWithin(leave, CLOSING);
    }
    this.client.stream.destroy();
  }
}

/** Resolves when a stream has rows, has ended or has failed. */
function somethingHappens(rows: Readable): Promise<void> {
  return new Promise((resolve) => {
    const events = ['readable', 'end', 'error', 'close'];
    const done = (): void => {
      for (const event of events) rows.off(event, done);
      resolve();
    };
    for (const event of events) rows.on(event, done);
  });
}

async function connect(settings: DatabaseSettings, signal: AbortSignal): Promise<MysqlConnection> {
  const mysql = loadMysql();
  const { host, port = 3306, database, username: user, password, ssl } = settings;
  const tls = ssl === false ? {} : { ssl: ssl === true ? {} : ssl };
  // mysql2 writes an object among the parameters as SQL unless told otherwise.
  const config = { host, port, database, user, password, ...tls, stringifyObjects: true, connectTimeout: 0 };
  const client = mysql.createConnection(config);
  const connection = new MysqlConnection(mysql, client, config);
  const abort = (): void => void client.stream.destroy();
  signal.addEventListener('abort', abort, { once: true });
  try {
    await called((done) => client.connect(done));
    return connection;
  } catch (error) {
    client.stream.destroy();
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** MySQL's way: the level is set for the transaction that begins next. */
function begin({ isolation, readOnly }: TransactionMode): readonly string[] {
  const start = `START TRANSACTION${readOnly ? ' READ ONLY' : ''}`;
  return isolation === undefined
    ? [start]
    : [`SET TRANSACTION ISOLATION LEVEL ${isolation.toUpperCase()}`, start];
}

/** MySQL and MariaDB, over mysql2. */
export const mysqlDriver = (): Driver => ({
  name: 'mysql2',
  load: loadMysql,
  connect: (settings, { signal }) => connect(settings, signal),
  begin,
});
