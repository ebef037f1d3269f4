import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Order, WorkerSettings } from './worker';

/** A worker thread that runs the service, from its start to its end. */
export class Thread {
  /** Resolves when it listens; rejects if it ends before. */
  readonly listening: Promise<void>;
  /** Resolves to the reason when it ends. */
  readonly ended: Promise<Error>;
  readonly #worker: Worker;
  readonly #began = performance.now();

  constructor(workerData: WorkerSettings) {
    const worker = new Worker(join(__dirname, 'worker.js'), { workerData });
    this.#worker = worker;
    let failure: Error | undefined;
    worker.on('error', (error) => (failure = error));
    this.ended = new Promise((resolve) => {
      worker.once('exit', (code) => resolve(failure ?? new Error(`exit code ${code}`)));
    });
    this.listening = new Promise((resolve, reject) => {
      worker.once('message', () => resolve());
      void this.ended.then(reject);
    });
    // Not everybody wants to know.
    this.listening.catch(() => {});
  }

  /** Milliseconds. */
  get age(): number {
    return performance.now() - this.#began;
  }

  order(what: Order): void {
    this.#worker.postMessage(what);
  }

  terminate(): void {
    void this.#worker.terminate();
  }
}
