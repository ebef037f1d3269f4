import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { loaded } from './load.js';

/** What is used of the package pg, versions 8 and newer. */
export interface Pg {
  Client: new (config: object) => PgClient;
  Connection: new (config: object) => PgWire;
}

/** What is used of pg's Client. */
export interface PgClient extends EventEmitter {
  readonly host: string;
  readonly port: number;
  readonly ssl: boolean | object;
  readonly processID: number | null;
  readonly secretKey: number | null;
  readonly connection: PgWire;
  /** Whether the server has answered all that was sent. */
  readonly readyForQuery: boolean;
  /** From 8.2x on: whether to send a statement before the one before it is answered. Looked at for each. */
  pipeline?: boolean;
  connect(): Promise<unknown>;
  end(): Promise<void>;
  query(cursor: PgCursor): void;
  query(
    sql: string,
    params: readonly unknown[] | undefined,
    done: (error: Error | null | undefined, result: unknown) => void,
  ): void;
}

/** What is used of pg's Connection: the protocol's messages are its events. */
export interface PgWire extends EventEmitter {
  readonly stream: Socket;
  connect(port: number | string, host?: string): void;
  requestSsl(): void;
  cancel(processID: number | null, secretKey: number | null): void;
  ref(): void;
  unref(): void;
}

/** What is used of pg-cursor. */
export interface PgCursor {
  read(count: number): Promise<unknown[]>;
  close(): Promise<void>;
}

// Literal names in `require`, so that bundlers see what to leave out or in.
export const loadPg = (): Pg => loaded<Pg>('pg', 'pg', () => require('pg'));

type CursorClass = new (sql: string, params: readonly unknown[] | undefined) => PgCursor;
export const loadCursor = (): CursorClass =>
  loaded<CursorClass>('pg', 'pg-cursor', () => require('pg-cursor'));
