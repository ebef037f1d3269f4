import { Server as HttpServer } from 'node:http';
import { Server as HttpsServer } from 'node:https';
import type { Server, Socket } from 'node:net';
import { type TLSSocket, Server as TlsServer } from 'node:tls';
import { Connections, leaver } from './connections.js';
import type { Step } from './graph.js';
import type { StopContext } from './options.js';
import { Sessions } from './sessions.js';

/** What a server may have, by its kind. */
interface AnyServer extends Server {
  closeAllConnections?(): void;
  closeIdleConnections?(): void;
}

/** Stops a server: it accepts no more, answers what it has begun, ends its connections. */
export class ServerDrain {
  readonly steps: readonly Step[];
  readonly #server: AnyServer;
  readonly #grace: number;
  /** Of HTTP. */
  readonly #connections = new Connections();
  readonly #sessions = new Sessions();
  /** All, as the system knows them: below TLS and HTTP/2. */
  readonly #sockets = new Set<Socket>();
  /** Those of TLS that are not secure yet, by their other end: sockets of TLS do not say what they are on. */
  readonly #handshakes = new Map<string, Socket>();
  readonly #listeners: [event: string, listener: (...args: any[]) => void][] = [];
  #closed: Promise<void> | undefined;

  constructor(server: Server, grace: number) {
    this.#server = server;
    this.#grace = grace;
    this.steps = [
      { phase: 'accept', stop: () => this.#accept() },
      { phase: 'requests', stop: (context) => this.#finish(context) },
    ];
    this.#listen();
  }

  #listen(): void {
    const server = this.#server;
    const { request, upgrade, add } = this.#connections;
    const isTls = server instanceof TlsServer;
    const forget = leaver(this.#sockets);
    this.#on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', forget);
    });
    if (isTls) this.#listenToHandshakes();
    const isHttp = server instanceof HttpServer || server instanceof HttpsServer;
    const isHttp2 = !isHttp && 'updateSettings' in server;
    if (!isHttp && !isHttp2) return;
    if (isHttp) this.#on(isTls ? 'secureConnection' : 'connection', add);
    else if (isTls)
      this.#on('secureConnection', (socket: TLSSocket) => socket.alpnProtocol === 'h2' || add(socket));
    this.#on('request', request);
    if (isHttp2) {
      this.#on('session', this.#sessions.add);
      this.#on('stream', this.#sessions.stream);
    }
    // Without a listener of the service's a request for an upgrade is like any other, and has to stay so.
    if (server.listenerCount('upgrade') > 0) this.#on('upgrade', upgrade);
    this.#on('newListener', (event, listener) => {
      if (event !== 'upgrade' || listener === upgrade || server.listeners(event).includes(upgrade)) return;
      this.#on('upgrade', upgrade);
    });
    this.#on('removeListener', (event) => {
      if (event === 'upgrade' && server.listenerCount(event) === 1) server.off(event, upgrade);
    });
  }

  #listenToHandshakes(): void {
    this.#on('connection', (socket: Socket) => {
      const end = endOf(socket);
      this.#handshakes.set(end, socket);
      socket.once('close', () => {
        if (this.#handshakes.get(end) === socket) this.#handshakes.delete(end);
      });
    });
    this.#on('secureConnection', (socket: TLSSocket) => this.#handshakes.delete(endOf(socket)));
  }

  /** Before the service's own listeners, which may have answered when they return. */
  #on(event: string, listener: (...args: any[]) => void): void {
    this.#server.prependListener(event, listener);
    this.#listeners.push([event, listener]);
  }

  /** A shutdown has begun: clients learn that their connections will close. */
  drain(): void {
    this.#connections.drain();
    this.#sessions.drain();
  }

  inFlight(): { requests: number; connections: number } {
    const requests = this.#connections.requests + this.#sessions.streams;
    return { requests, connections: Math.max(this.#sockets.size, this.#connections.all.size) };
  }

  /** Leaves the server alone. */
  release(): void {
    for (const [event, listener] of this.#listeners) this.#server.off(event, listener);
  }

  async #accept(): Promise<void> {
    // Right after the event loop has polled nothing is left in the system's queue, whose connections would be reset. From within a
    // poll, the first time is right after that one.
    for (let polls = 0; polls < 2; polls++) await new Promise((resolve) => setImmediate(resolve));
    this.#closed = new Promise((resolve) => this.#close(resolve));
    this.#connections.close();
    this.#sessions.close();
  }

  /** Calls back once there are no connections, also where the server did not listen. */
  #close(callback: () => void): void {
    const server = this.#server;
    const { closeIdleConnections } = server;
    if (closeIdleConnections === undefined) {
      server.close(callback);
      return;
    }
    // Of Node's idle connections some have a request on its way: which ones are idle is told apart here.
    server.closeIdleConnections = () => {};
    server.close(callback);
    server.closeIdleConnections = closeIdleConnections;
  }

  async #finish({ signal, cutOff }: StopContext): Promise<void> {
    const sweep = setTimeout(() => {
      cutOff('connections', this.#connections.sweep());
      for (const socket of this.#handshakes.values()) socket.destroy();
      // Those that were there before the server was registered.
      this.#server.closeIdleConnections?.();
    }, this.#grace);
    signal.addEventListener('abort', () => {
      clearTimeout(sweep);
      const { requests, connections } = this.inFlight();
      cutOff('requests', requests);
      cutOff('connections', connections);
      this.#destroy();
    });
    await this.#closed;
    clearTimeout(sweep);
  }

  #destroy(): void {
    this.#server.closeAllConnections?.();
    this.#sessions.destroy();
    for (const socket of this.#connections.all.keys()) socket.destroy();
    for (const socket of this.#sockets) socket.destroy();
  }
}

function endOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
