import { connect, createServer, type Server, type Socket } from 'node:net';
import { freePort } from './servers';

const HOST = '127.0.0.1';

/** Where to connect to; read anew for each connection, since a server learns its port when it starts. */
interface Target {
  host: string;
  port: number;
}

/** A client's connection, and the one to the server, if there is one. */
interface Pair {
  client: Socket;
  server?: Socket;
  /** Something that it was to carry is lost, so that it may never carry anything again. */
  lost: boolean;
}

/** A TCP proxy on the loopback interface, between a client and a server, that misbehaves as told. */
export class TcpProxy {
  readonly host = HOST;
  /** Known once it listens, and kept from then on. */
  port = 0;
  /** Connections of clients that it took, in all. */
  accepted = 0;
  /** The most that were open at a time. */
  peak = 0;
  #target: Target;
  #delay = 0;
  #swallows = false;
  #listener: Server | undefined;
  #pairs = new Set<Pair>();

  constructor(target: Target) {
    this.#target = target;
  }

  /** Connections that clients have open. */
  get open(): number {
    return [...this.#pairs].filter(({ client }) => !client.readableEnded).length;
  }

  /** Listens, on the port that it had before; resolves once it does. */
  async listen(): Promise<void> {
    if (this.#listener) return;
    this.port ||= await freePort();
    const listener = createServer({ allowHalfOpen: true }, (client) => this.#accept(client));
    this.#listener = listener;
    await new Promise<void>((resolve, reject) => {
      listener.once('error', reject);
      listener.listen(this.port, HOST, resolve);
    });
  }

  /** Becomes a black hole: takes connections and bytes, and passes on nothing. What lost bytes is dead for ever. */
  swallow(): void {
    this.#swallows = true;
  }

  /** Refuses new connections. Those that are open stay so. */
  refuse(): void {
    // Its callback would wait for the connections that are open; the port is free at once.
    this.#listener?.close();
    this.#listener = undefined;
  }

  /** Holds what it passes on back for that many milliseconds, each way. */
  delay(ms: number): void {
    this.#delay = ms;
  }

  /** Resets all connections that are open, on both sides. */
  cut(): void {
    for (const { client, server } of this.#pairs) {
      client.resetAndDestroy();
      server?.resetAndDestroy();
    }
  }

  /** Behaves well again. */
  async pass(): Promise<void> {
    this.#delay = 0;
    this.#swallows = false;
    await this.listen();
  }

  /** Refuses new connections, and cuts the others. */
  close(): void {
    this.refuse();
    this.cut();
  }

  #accept(client: Socket): void {
    const pair: Pair = { client, lost: this.#swallows };
    this.accepted++;
    this.#pairs.add(pair);
    this.peak = Math.max(this.peak, this.open);
    client.setNoDelay();
    // 'close' follows.
    client.on('error', () => {});
    client.once('close', () => this.#pairs.delete(pair));
    if (pair.lost) client.resume();
    else this.#connect(pair);
  }

  #connect(pair: Pair): void {
    const { host, port } = this.#target;
    const server = connect({ host, port, allowHalfOpen: true, noDelay: true });
    server.on('error', () => {});
    pair.server = server;
    this.#relay(pair.client, server, pair);
    this.#relay(server, pair.client, pair);
    // The server may know that a client is gone even if nothing passes, or its sessions would stay.
    for (const event of ['end', 'close'])
      pair.client.once(event, () => {
        if (pair.lost) server.destroy();
      });
  }

  /** Passes on what comes from one side: bytes, their end, and that the side is gone. */
  #relay(from: Socket, to: Socket, pair: Pair): void {
    let turn = Promise.resolve();
    const pass = (act: () => void) => {
      pair.lost ||= this.#swallows;
      if (pair.lost) return;
      const due = performance.now() + this.#delay;
      turn = turn.then(() => sleepUntil(due)).then(act);
    };
    from.on('data', (chunk) =>
      pass(() => {
        if (to.write(chunk)) return;
        from.pause();
        to.once('drain', () => from.resume());
      }),
    );
    from.once('end', () => pass(() => to.end()));
    from.once('close', () => pass(() => to.destroySoon()));
  }
}

function sleepUntil(due: number): Promise<void> | undefined {
  const ms = due - performance.now();
  return ms <= 0 ? undefined : new Promise((resolve) => setTimeout(resolve, ms));
}

/** A proxy in front of a server for the tests of a file, or of a describe block. */
export function useProxy(target: Target): TcpProxy {
  const proxy = new TcpProxy(target);
  beforeAll(() => proxy.listen());
  afterAll(() => proxy.close());
  return proxy;
}
