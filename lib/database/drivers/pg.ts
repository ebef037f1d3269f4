import type { DatabaseSettings } from '../config.js';
import {
  type Driver,
  type DriverConnection,
  type RowReader,
  type Statement,
  sequence,
  standardBegin,
} from '../driver.js';
import { cancelUntil, settlesWithin, stopped } from './cancel.js';
import { requestCancel } from './pgCancel.js';
import { loadCursor, loadPg, type Pg, type PgClient, type PgCursor } from './pgClient.js';

/** Statements that send a description of their rows before they do anything. */
const READS = /^\s*(select|values|table|show)\b(?!.*\binto\b)/is;

/** Milliseconds that stopping a statement may take when its connection is closed, and likewise taking leave. */
const CLOSING = 1_000;

/** Events that users may have listened to on the native client. */
const USER_EVENTS = ['notification', 'notice', 'drain'] as const;

interface ServerError extends Error {
  severity?: string;
  code?: string;
}

/** A connection over pg's Client. */
class PgConnection implements DriverConnection {
  #broken = false;
  /** Whether the connection lived when the latest statement was sent. */
  #sent = true;
  /** Whether the server has said anything of the latest statement. */
  #begun = false;
  /** Whether it would have, before doing anything. */
  #provable = false;
  /** Whether the latest statement was sent alone. */
  #alone = true;
  #status = 'I';
  /** Whether a user has had the client. */
  #shared = false;

  constructor(
    readonly pg: Pg,
    readonly client: PgClient,
  ) {
    const { connection: wire } = client;
    const lost = (): void => {
      this.#broken = true;
    };
    // Without a listener, an idle connection that the server ends would end the process.
    client.on('error', lost);
    client.on('end', lost);
    const begun = (): void => {
      this.#begun = true;
    };
    for (const event of ['parseComplete', 'rowDescription', 'commandComplete']) wire.on(event, begun);
    wire.on('readyForQuery', ({ status }: { status: string }) => {
      this.#status = status;
    });
  }

  get native(): PgClient {
    this.#shared = true;
    return this.client;
  }

  query(sql: string, params?: readonly unknown[]): Promise<unknown> {
    this.#starting((params?.length ?? 0) > 0 || READS.test(sql));
    return new Promise((resolve, reject) => {
      this.client.query(sql, params, (error, result) => {
        if (error) this.#whenReady(error, () => reject(error));
        else resolve(result);
      });
    });
  }

  #starting(provable: boolean, alone = true): void {
    this.#alone = alone;
    this.#sent = this.alive();
    this.#begun = false;
    this.#provable = provable;
  }

  /**
   * Calls back once the server is ready for the next statement: an error comes before that, and is not the end of
   * its statement.
   */
  #whenReady(error: ServerError | undefined, callback: () => void): void {
    const { client } = this;
    if (error?.severity === 'FATAL') this.#broken = true;
    if (this.#broken || client.readyForQuery) {
      callback();
      return;
    }
    const done = (): void => {
      client.connection.off('readyForQuery', done);
      client.off('end', done);
      callback();
    };
    // After pg's own listener, so that the client takes the next statement.
    client.connection.on('readyForQuery', done);
    client.on('end', done);
  }

  async pipeline(statements: readonly Statement[]): Promise<PromiseSettledResult<unknown>[]> {
    const { client } = this;
    if (client.pipeline === undefined) return sequence(this, statements);
    this.#starting(
      statements.every(({ sql, params = [] }) => params.length > 0 || READS.test(sql)),
      false,
    );
    client.pipeline = true;
    const { stream } = client.connection;
    stream.cork();
    const answers = statements.map(
      ({ sql, params }) =>
        new Promise<PromiseSettledResult<unknown>>((resolve) => {
          client.query(sql, params, (reason, value) =>
            resolve(reason ? { status: 'rejected', reason } : { status: 'fulfilled', value }),
          );
        }),
    );
    stream.uncork();
    const settled = await Promise.all(answers);
    const fatal = settled.find(
      (answer) => answer.status === 'rejected' && answer.reason.severity === 'FATAL',
    );
    await new Promise<void>((resolve) => {
      this.#whenReady((fatal as PromiseRejectedResult | undefined)?.reason, resolve);
    });
    client.pipeline = false;
    return settled;
  }

  read(sql: string, params: readonly unknown[] | undefined): RowReader {
    const Cursor = loadCursor();
    this.#starting(true);
    const cursor: PgCursor = new Cursor(sql, params);
    this.client.query(cursor);
    let failed = false;
    return {
      read: async (count) => {
        try {
          return await cursor.read(count);
        } catch (error) {
          failed = true;
          throw error;
        }
      },
      close: async () => {
        // An error has ended the portal; pg-cursor would wait for ever for an answer to closing it.
        if (!failed && !this.#broken && !this.client.readyForQuery) cursor.close().catch(() => {});
        await new Promise<void>((resolve) => this.#whenReady(undefined, resolve));
      },
    };
  }

  cancel(running: PromiseLike<unknown>, { signal }: { signal: AbortSignal }): Promise<void> {
    return cancelUntil(
      running,
      () => requestCancel(this.pg, this.client, signal),
      // A signal that came too late for its statement hits this one.
      () => this.query('SELECT 1'),
    );
  }

  alive(): boolean {
    const { stream } = this.client.connection;
    return !this.#broken && stream.writable && !stream.destroyed;
  }

  ping(): Promise<unknown> {
    return this.query('SELECT 1');
  }

  async isReadOnly(): Promise<boolean> {
    const sql = `SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean AS answer`;
    const { rows } = (await this.query(sql)) as { rows: { answer: boolean }[] };
    return rows[0]?.answer === true;
  }

  reset(): void | Promise<void> {
    if (this.#shared) this.#forgetUser();
    if (!this.client.readyForQuery) throw new Error('The connection was given back while a statement runs');
    if (this.#status === 'I') return;
    return this.query('ROLLBACK').then(() => {});
  }

  /** Takes off what a user of the native client listened with. */
  #forgetUser(): void {
    this.#shared = false;
    for (const event of USER_EVENTS) this.client.removeAllListeners(event);
  }

  isUnsent(error: unknown): boolean {
    if (!this.#broken) return false;
    if (!this.#sent) return true;
    // The server has not got the end of what was written, without which it does nothing, or undoes it.
    if (this.#alone && (error as { syscall?: string }).syscall === 'write') return true;
    // The backend ended before it came to the statement: it says why it ends, and said nothing before.
    const { severity, code } = error as ServerError;
    return severity === 'FATAL' && /^57P0/.test(code ?? '') && this.#provable && !this.#begun;
  }

  transactionState(): 'none' | 'open' | 'failed' {
    if (this.#status === 'E') return 'failed';
    return this.#status === 'I' ? 'none' : 'open';
  }

  ref(): void {
    this.client.connection.ref();
  }

  unref(): void {
    this.client.connection.unref();
  }

  async close(): Promise<void> {
    const isBusy = this.alive() && !this.client.readyForQuery;
    const idle = isBusy && new Promise<void>((resolve) => this.#whenReady(undefined, resolve));
    // It is being closed: whatever else goes wrong with it is nobody's concern.
    this.#broken = true;
    if (idle) {
      // The server would go on with its statement, as it looks at the connection only when it has an answer.
      const signal = AbortSignal.timeout(CLOSING);
      await stopped(idle, () => requestCancel(this.pg, this.client, signal)).catch(() => {});
      this.client.connection.stream.destroy();
    }
    await settlesWithin(this.client.end(), CLOSING);
    this.client.connection.stream.destroy();
  }
}

async function connect(settings: DatabaseSettings, signal: AbortSignal): Promise<PgConnection> {
  const pg = loadPg();
  const { host, port = 5432, database, username: user, password, ssl } = settings;
  const client = new pg.Client({ host, port, database, user, password, ssl, keepAlive: true });
  const connection = new PgConnection(pg, client);
  const abort = (): void => void client.connection.stream.destroy();
  signal.addEventListener('abort', abort, { once: true });
  try {
    await client.connect();
    return connection;
  } catch (error) {
    client.connection.stream.destroy();
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** PostgreSQL, over pg 8 or newer; streams take pg-cursor too. */
export const pgDriver = (): Driver => ({
  name: 'pg',
  load: loadPg,
  connect: (settings, { signal }) => connect(settings, signal),
  begin: standardBegin,
});
