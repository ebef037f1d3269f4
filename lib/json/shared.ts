import { JSONWorkerPool } from '../jsonWorkerPool.js';
import type { Reviver } from './options.js';

let shared: JSONWorkerPool | undefined;

/** The pool that all of the service shares, made at the first call and again after {@link destroyJsonWorkerPool}. */
export function getJsonWorkerPool(): JSONWorkerPool {
  shared ??= new JSONWorkerPool();
  return shared;
}

/** Destroys the shared pool, if there is one; the next {@link getJsonWorkerPool} makes a fresh one. */
export async function destroyJsonWorkerPool(): Promise<void> {
  const pool = shared;
  shared = undefined;
  await pool?.destroy();
}

/** {@link JSONWorkerPool.parse} of the shared pool. */
export function parseJSONAsync<T = any>(text: string | Uint8Array, reviver?: Reviver | null): Promise<T> {
  return getJsonWorkerPool().parse<T>(text, reviver ? { reviver } : undefined);
}
