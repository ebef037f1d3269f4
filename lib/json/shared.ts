import { JSONWorkerPool } from '../jsonWorkerPool.js';
import type { Reviver } from './options.js';
import type { StringifyOptions, WriteOptions } from './stringify/options.js';

let shared: JSONWorkerPool | undefined;

/** The pool that the whole process shares, made at the first call and again after {@link destroyJsonWorkerPool}. */
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

/** {@link JSONWorkerPool.parse} on the shared pool. */
export async function parseJSONAsync<T = any>(
  text: string | Uint8Array,
  reviver?: Reviver | null,
): Promise<T> {
  return getJsonWorkerPool().parse<T>(text, typeof reviver === 'function' ? { reviver } : undefined);
}

/** {@link JSONWorkerPool.stringify} on the shared pool. */
export async function stringifyJSONAsync(
  value: unknown,
  replacer?: WriteOptions['replacer'],
  space?: WriteOptions['space'],
): Promise<string> {
  return getJsonWorkerPool().stringify(value, { replacer: replacer ?? null, space: space ?? null });
}

type Shared =
  | 'parse'
  | 'stringify'
  | 'parseFile'
  | 'parseStream'
  | 'ndjson'
  | 'stringifyToFile'
  | 'openDocument';

/** The methods of the shared pool as plain functions. */
export const json: Pick<JSONWorkerPool, Shared> = {
  parse: (text, options) => getJsonWorkerPool().parse(text, options),
  stringify: ((value: unknown, options?: StringifyOptions | null) =>
    getJsonWorkerPool().stringify(value, options)) as JSONWorkerPool['stringify'],
  parseFile: (path, options) => getJsonWorkerPool().parseFile(path, options),
  parseStream: (stream, options) => getJsonWorkerPool().parseStream(stream, options),
  ndjson: (source, options) => getJsonWorkerPool().ndjson(source, options),
  stringifyToFile: (value, path, options) => getJsonWorkerPool().stringifyToFile(value, path, options),
  openDocument: (source, options) => getJsonWorkerPool().openDocument(source, options),
};
