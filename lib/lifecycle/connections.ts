import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { sayGoodbye } from './goodbye.js';

/** A connection of a server. */
interface Connection {
  /** How many responses have not ended. They end in the order of their requests. */
  pending: number;
  /** The one of the newest request, until all have ended: no other may say that the connection closes. */
  last: ServerResponse | undefined;
  kind: 'http' | 'websocket' | 'other';
  /** Bytes that had been read when the last response ended; undefined before. */
  read: number | undefined;
}

/** A listener by which a socket leaves a collection. One serves all, of which 10,000 would each keep a closure otherwise. */
export function leaver(all: { delete(socket: Socket): unknown }): (this: Socket) => void {
  return function () {
    all.delete(this);
  };
}

/** The connections of an HTTP server, and what is under way on each. */
export class Connections {
  readonly all = new Map<Socket, Connection>();
  readonly #forget = leaver(this.all);
  #isDraining = false;
  #isClosing = false;

  get requests(): number {
    let sum = 0;
    for (const { pending } of this.all.values()) sum += pending;
    return sum;
  }

  readonly add = (socket: Socket): void => {
    this.#of(socket);
  };

  readonly request = (req: IncomingMessage, res: ServerResponse): void => {
    // Streams of HTTP/2 are counted by their session.
    if (req.httpVersionMajor > 1) return;
    const { socket } = req;
    const connection = this.#of(socket);
    if (this.#isDraining) {
      // What was pipelined is answered too: the last answer closes.
      const { last } = connection;
      if (last?.headersSent === false) last.removeHeader('Connection');
      res.setHeader('Connection', 'close');
    }
    connection.pending++;
    connection.last = res;
    res.once('close', () => {
      connection.pending--;
      connection.read = socket.bytesRead;
      if (connection.pending > 0) return;
      connection.last = undefined;
      if (this.#isClosing && connection.kind === 'http') socket.destroySoon();
    });
  };

  readonly upgrade = (req: IncomingMessage, socket: Socket): void => {
    const isWebSocket = /^websocket$/i.test(req.headers.upgrade ?? '');
    const connection = this.#of(socket);
    connection.kind = isWebSocket ? 'websocket' : 'other';
    if (this.#isClosing) sayGoodbye(socket, isWebSocket);
  };

  /** From now on each answer says that its connection closes. */
  drain(): void {
    this.#isDraining = true;
    for (const { last } of this.all.values()) {
      if (last?.headersSent === false) last.setHeader('Connection', 'close');
    }
  }

  /**
   * From now on a connection ends with its last answer; upgraded and idle ones end at once. Others may have a request on its
   * way: those that are new, and those of which something came since the last answer.
   */
  close(): void {
    this.#isClosing = true;
    for (const [socket, { kind, pending, read }] of this.all) {
      if (kind !== 'http') sayGoodbye(socket, kind === 'websocket');
      else if (pending === 0 && socket.bytesRead === read) socket.destroySoon();
    }
  }

  /**
   * Destroys the connections without a request under way.
   * @returns of how many something was still to be sent
   */
  sweep(): number {
    let unsent = 0;
    for (const [socket, { pending }] of this.all) {
      if (pending > 0) continue;
      if (socket.writableLength > 0) unsent++;
      socket.destroy();
    }
    return unsent;
  }

  #of(socket: Socket): Connection {
    let connection = this.all.get(socket);
    if (connection === undefined) {
      connection = { pending: 0, last: undefined, kind: 'http', read: undefined };
      this.all.set(socket, connection);
      socket.on('close', this.#forget);
    }
    return connection;
  }
}
