import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Client } from './autocannon.js';

/** What happens to a seat. */
export interface SeatEvents {
  /** It can send. */
  free(seat: Seat): void;
  /** It cannot send any more: its connection has ended. */
  closed(seat: Seat): void;
  answered(seat: Seat, status: number): void;
  /** The connection went before the answer came, or autocannon gave up waiting for it. */
  lost(seat: Seat): void;
  /** No connection could be made. */
  unreachable(seat: Seat, error: Error): void;
}

/** What autocannon is told of an answer that nothing was sent for, such as a server's 408 on an idle connection. */
const UNASKED = { headers: { statusCode: 0 }, body: '', bytes: 0, duration: 0 };

/**
 * A connection of autocannon that sends when it is told to, where autocannon itself would send as soon as the last
 * answer has come. All use of autocannon's inner parts is here.
 */
export class Seat {
  readonly #client: Client;
  readonly #on: SeatEvents;
  readonly #send: () => void;
  #connection: Socket | undefined;
  /** Whether the connection is open, and may be used once more. */
  #open = false;
  #keepAlive = true;
  #awaiting = false;
  #status = 0;

  constructor(client: Client, on: SeatEvents) {
    if (typeof client._doRequest !== 'function') {
      throw new Error('this version sends in a way that keelson does not know; install autocannon@9');
    }
    this.#client = client;
    this.#on = on;
    this.#send = client._doRequest.bind(client);
    client._doRequest = () => this.#next();
    const { pipelinedRequests: sent } = client;
    const terminate = sent.terminateRequest.bind(sent);
    sent.terminateRequest = () => terminate() ?? UNASKED;
    client.on('headers', ({ statusCode, shouldKeepAlive }) => {
      this.#status = statusCode;
      this.#keepAlive = shouldKeepAlive;
    });
    client.on('response', () => this.#answered());
    client.on('connError', (error: Error) => {
      if (!this.#open) on.unreachable(this, error);
    });
  }

  send(): void {
    this.#awaiting = true;
    this.#send();
  }

  #answered(): void {
    // 1xx announces an answer.
    if (!this.#awaiting || this.#status < 200) return;
    this.#awaiting = false;
    this.#on.answered(this, this.#status);
  }

  /** autocannon would send now. */
  #next(): void {
    if (this.#client.conn !== this.#connection) {
      this.#reconnected();
    } else if (this.#open && !this.#awaiting) {
      if (this.#keepAlive) {
        this.#on.free(this);
      } else {
        this.#open = false;
        this.#on.closed(this);
        this.#client.conn.end();
      }
    }
  }

  #reconnected(): void {
    const before = this.#connection;
    const { conn, parser, pipelinedRequests } = this.#client;
    this.#connection = conn;
    this.#open = false;
    this.#on.closed(this);
    // A body may end with its connection.
    parser.finish();
    if (this.#awaiting) {
      this.#awaiting = false;
      this.#on.lost(this);
    }
    // autocannon goes on where the old connection has stopped.
    parser.initialize('RESPONSE');
    pipelinedRequests.clear();
    before?.removeAllListeners().on('error', () => {});
    before?.destroy();
    conn.once(conn instanceof TLSSocket ? 'secureConnect' : 'connect', () => {
      this.#open = true;
      this.#keepAlive = true;
      this.#on.free(this);
    });
  }
}
