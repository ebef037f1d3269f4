import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { sayGoodbye } from './goodbye.js';

/** A connection of a server. */
interface Connection {
  /** Responses that have not ended, in the order of their requests. */
  readonly responses: Set<ServerResponse>;
  kind: 'http' | 'websocket' | 'other';
  /** Bytes that had been read when the last response ended; undefined before. */
  read: number | undefined;
}

/** The connections of an HTTP server, and what is under way on each. */
export class Connections {
  readonly all = new Map<Socket, Connection>();
  #isDraining = false;
  #isClosing = false;

  get requests(): number {
    let sum = 0;
    for (const { responses } of this.all.values()) sum += responses.size;
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
    const { responses } = connection;
    if (this.#isDraining) {
      // What was pipelined is answered too: the last answer closes.
      for (const earlier of responses) if (!earlier.headersSent) earlier.removeHeader('Connection');
      res.setHeader('Connection', 'close');
    }
    responses.add(res);
    res.once('close', () => {
      responses.delete(res);
      connection.read = socket.bytesRead;
      if (this.#isClosing && responses.size === 0 && connection.kind === 'http') socket.destroySoon();
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
    for (const { responses } of this.all.values()) {
      const last = [...responses].at(-1);
      if (last !== undefined && !last.headersSent) last.setHeader('Connection', 'close');
    }
  }

  /**
   * From now on a connection ends with its last answer; upgraded and idle ones end at once. Others may have a request on its
   * way: those that are new, and those of which something came since the last answer.
   */
  close(): void {
    this.#isClosing = true;
    for (const [socket, { kind, responses, read }] of this.all) {
      if (kind !== 'http') sayGoodbye(socket, kind === 'websocket');
      else if (responses.size === 0 && socket.bytesRead === read) socket.destroySoon();
    }
  }

  /**
   * Destroys the connections without a request under way.
   * @returns of how many something was still to be sent
   */
  sweep(): number {
    let unsent = 0;
    for (const [socket, { responses }] of this.all) {
      if (responses.size > 0) continue;
      if (socket.writableLength > 0) unsent++;
      socket.destroy();
    }
    return unsent;
  }

  #of(socket: Socket): Connection {
    let connection = this.all.get(socket);
    if (connection === undefined) {
      connection = { responses: new Set(), kind: 'http', read: undefined };
      this.all.set(socket, connection);
      socket.once('close', () => this.all.delete(socket));
    }
    return connection;
  }
}
