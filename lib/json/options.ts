import { setting } from '../config/current.js';
import type { JSONLimitError, JSONSyntaxError } from '../errors.js';
import { abortSignal, boolean, callable, integer, number, oneOf, options } from '../validate.js';
import { type Limits, type Mode, NO_LIMITS } from './jobs.js';
import { PRIORITIES } from './scheduler.js';
import { FORMS } from './stringify/options.js';
import type { TaskOptions } from './tasks.js';

/** Options of a {@link JSONWorkerPool}. */
export interface JSONWorkerPoolOptions {
  /** Native threads, and tasks that are worked on at once, 1 to 1,024. @default half the cores, at least 2 */
  maxWorkers?: number | undefined;
  /** Tasks that may wait for their turn, 0 or more, Infinity allowed. @default 65,536 */
  maxQueue?: number | undefined;
  /** What a task gets that finds the queue full: `ERR_KEELSON_QUEUE_FULL`, or a place at its end. @default 'reject' */
  onFull?: 'reject' | 'wait' | undefined;
}

/** What of a document to refuse, before any value is built. */
export interface JSONLimits {
  /** Bytes of text, as UTF-8 and uncompressed. @default Infinity */
  maxBytes?: number | undefined;
  /** Containers inside each other: `1` has 0, `[]` has 1. @default Infinity */
  maxDepth?: number | undefined;
  /** Members of all objects together, duplicates counted. @default Infinity */
  maxKeys?: number | undefined;
}

/** A JSON.parse reviver. `context.source` is given by Node 22 and newer. */
export type Reviver = (this: any, key: string, value: any, context?: any) => any;

/** Options of `parse`. */
export interface JSONParseOptions extends TaskOptions, JSONLimits {
  /** As JSON.parse's. It runs on the main thread in one go, as only JSON.parse itself can call it by its rules. */
  reviver?: Reviver | null | undefined;
  /**
   * 'auto' may generate code for records of one shape, where that is allowed; 'sliced' builds with JSON.parse
   * alone. @default 'auto'
   */
  mode?: Mode | undefined;
}

/** Options of `parseFile` and `parseStream`. A reviver would need the whole text on the heap. */
export type JSONStreamOptions = Omit<JSONParseOptions, 'reviver'>;

/** Options of `ndjson`. */
export interface NDJSONOptions extends TaskOptions, JSONLimits {
  /**
   * Bytes of one line, as UTF-8 and without its line feed. A longer one is a bad line, though its error is a
   * JSONLimitError, and is not kept in memory.
   * @default Infinity
   */
  maxLineBytes?: number | undefined;
  /**
   * Is told each line that is not JSON (JSONSyntaxError) or too long (JSONLimitError), which is then left out. A line
   * beyond `maxDepth` or `maxKeys`, or an input beyond `maxBytes`, ends the iteration. @default the first ends it
   */
  onBadLine?: ((error: JSONSyntaxError | JSONLimitError) => void) | undefined;
  /** See {@link JSONParseOptions.mode}. @default 'auto' */
  mode?: Mode | undefined;
}

/** Options of `openDocument`. */
export interface OpenDocumentOptions extends TaskOptions, JSONLimits {}

const TASK = ['priority', 'signal', 'timeout'] as const;
const DOCUMENT = [...TASK, 'maxBytes', 'maxDepth', 'maxKeys'] as const;
const WRITE = [...TASK, 'replacer', 'space', 'snapshot'] as const;

/** The names of the options of each kind of call. */
export const NAMES = {
  task: TASK,
  document: DOCUMENT,
  stream: [...DOCUMENT, 'mode'],
  parse: [...DOCUMENT, 'mode', 'reviver'],
  lines: [...DOCUMENT, 'mode', 'maxLineBytes', 'onBadLine'],
  write: WRITE,
  stringify: [...WRITE, 'as'],
} as const;

/** The longest delay of a timer in milliseconds, some 24 days: Node takes a longer one for none at all. */
const LONGEST_TIMEOUT = 2 ** 31 - 1;

/** What each option may be; `replacer` and `space` may be anything, as for JSON.stringify. */
const CHECKS: { readonly [name: string]: (name: string, value: unknown) => unknown } = {
  priority: (name, value) => oneOf(name, value, PRIORITIES),
  signal: abortSignal,
  timeout: (name, value) => number(name, value, 1, LONGEST_TIMEOUT),
  maxBytes: limit,
  maxDepth: limit,
  maxKeys: limit,
  maxLineBytes: limit,
  mode: (name, value) => oneOf(name, value, ['auto', 'sliced']),
  reviver: (name, value) => value === null || callable(name, value),
  onBadLine: callable,
  snapshot: boolean,
  as: (name, value) => oneOf(name, value, FORMS),
};

/** The options of a call, checked. Null is none, as undefined is. */
export function checkCall<T extends object>(
  given: T | null | undefined,
  names: readonly (keyof T & string)[],
): T {
  if (given === undefined || given === null) return {} as T;
  options<T>('options', given, names);
  for (const name of names) {
    const value = given[name];
    if (value !== undefined) CHECKS[name]?.(name, value);
  }
  return given;
}

export function poolOptions(given: number | JSONWorkerPoolOptions | undefined): {
  maxWorkers: number;
  maxQueue: number;
  onFull: 'reject' | 'wait';
} {
  const chosen: JSONWorkerPoolOptions =
    typeof given === 'number'
      ? { maxWorkers: given }
      : given === undefined
        ? {}
        : options<JSONWorkerPoolOptions>('options', given, ['maxWorkers', 'maxQueue', 'onFull']);
  const { maxWorkers = setting('json.maxWorkers'), maxQueue = setting('json.maxQueue') } = chosen;
  const { onFull = setting('json.onFull') } = chosen;
  return {
    maxWorkers: integer('maxWorkers', maxWorkers, 1, 1_024),
    maxQueue: maxQueue === Number.POSITIVE_INFINITY ? maxQueue : integer('maxQueue', maxQueue, 0),
    onFull: oneOf('onFull', onFull, ['reject', 'wait']),
  };
}

/** The limits of a checked call, or {@link NO_LIMITS} itself. */
export function limitsOf(given: JSONLimits & { maxLineBytes?: number | undefined }): Limits {
  const { maxBytes, maxDepth, maxKeys, maxLineBytes } = given;
  const all = [maxBytes, maxDepth, maxKeys, maxLineBytes];
  if (all.every((limit) => limit === undefined)) return NO_LIMITS;
  const none = Number.POSITIVE_INFINITY;
  return {
    maxBytes: maxBytes ?? none,
    maxDepth: maxDepth ?? none,
    maxKeys: maxKeys ?? none,
    maxLineBytes: maxLineBytes ?? none,
  };
}

function limit(name: string, value: unknown): unknown {
  return value === Number.POSITIVE_INFINITY || integer(name, value, 0);
}
