import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

/** What the keeper is told. */
export interface KeeperSettings {
  port: number;
  host: string;
  /** Not 0: it lets go of the socket. */
  released: Int32Array;
}

/** What the keeper tells. */
export interface Kept {
  fd: number;
  address: AddressInfo;
}

/** Where a courier finds the socket; before it are the standard streams and the channel to its parent. */
export const INHERITED = 4;

/** A listening socket that nobody takes connections from until threads have received it. */
export class ListeningSocket {
  readonly #released = new Int32Array(new SharedArrayBuffer(4));
  #keeper: Worker | undefined;

  /** Rejects as `server.listen()` fails. */
  async listen(port: number, host: string): Promise<Kept> {
    const workerData: KeeperSettings = { port, host, released: this.#released };
    this.#keeper = new Worker(join(__dirname, 'keeper.js'), { workerData });
    const [kept] = (await once(this.#keeper, 'message')) as [Kept];
    return kept;
  }

  /** From then on the socket is there as long as threads have it. Idempotent. */
  release(): void {
    Atomics.store(this.#released, 0, 1);
    Atomics.notify(this.#released, 0);
  }
}

/**
 * The listening socket of another thread, for this one to have and to close. Listening on its file descriptor would not
 * do: all threads have the same ones, so that who closes it closes it for all, and libuv then ends the process. It
 * takes a process to get another descriptor of a socket, since Node duplicates one only on the way between processes.
 *
 * It is listened on already: give it to the server that answers in the same turn.
 *
 * `reusePort` is no way: Node 20 does not have it, and what waits to be accepted is lost with the thread that ends.
 */
export async function receiveSocket(fd: number): Promise<Server> {
  const courier = fork(join(__dirname, 'courier.js'), {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc', fd],
    execArgv: [],
  });
  const failure = new AbortController();
  courier.once('exit', (code, signal) =>
    failure.abort(new Error(`The courier of the socket ended with ${signal ?? code}`)),
  );
  const [, socket] = (await once(courier, 'message', { signal: failure.signal }).catch((error: Error) => {
    throw error.cause ?? error;
  })) as [string, Server];
  courier.disconnect();
  return socket;
}
