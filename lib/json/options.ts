import { availableParallelism } from 'node:os';
import { abortSignal, callable, integer, number, oneOf, options } from '../validate.js';
import { type Limits, type Mode, NO_LIMITS } from './jobs.js';
import { PRIORITIES } from './scheduler.js';
import { LONGEST_TIMEOUT, type TaskOptions } from './tasks.js';

/** Options of a {@link JSONWorkerPool}. */
export interface JSONWorkerPoolOptions {
  /** Native threads, and tasks that are worked on at once, 1 to 1,024. @default half the cores, at least 2 */
  maxWorkers?: number;
  /** Tasks that may wait for their turn, 0 or more, Infinity allowed. @default 65,536 */
  maxQueue?: number;
  /** What a task gets that finds the queue full: `ERR_KEELSON_QUEUE_FULL`, or a place at its end. @default 'reject' */
  onFull?: 'reject' | 'wait';
}

/** What of a document to refuse, before any value is built. */
export interface JSONLimits {
  /** Bytes of text, as UTF-8 and uncompressed. @default Infinity */
  maxBytes?: number;
  /** Containers inside each other: `1` has 0, `[]` has 1. @default Infinity */
  maxDepth?: number;
  /** Members of all objects together, duplicates counted. @default Infinity */
  maxKeys?: number;
}

/** A JSON.parse reviver. `context.source` is given by Node 22 and newer. */
export type Reviver = (this: any, key: string, value: any, context?: any) => any;

/** Options of `parse`. */
export interface JSONParseOptions extends TaskOptions, JSONLimits {
  /** As JSON.parse's. It runs on the main thread in one go, as only JSON.parse itself can call it by its rules. */
  reviver?: Reviver;
  /**
   * 'auto' may generate code for records of one shape, where that is allowed; 'sliced' builds with JSON.parse
   * alone. @default 'auto'
   */
  mode?: Mode;
}

/** Options of `parseFile` and `parseStream`. A reviver would need the whole text on the heap. */
export type JSONStreamOptions = Omit<JSONParseOptions, 'reviver'>;

/** Options of `ndjson`. */
export interface NDJSONOptions extends TaskOptions, JSONLimits {
  /** Bytes of one line beyond which it counts as no JSON. @default Infinity */
  maxLineBytes?: number;
  /** Is told each line that is not JSON, which is then left out. @default the first ends the iteration */
  onBadLine?: (error: SyntaxError) => void;
  /** See {@link JSONParseOptions.mode}. @default 'auto' */
  mode?: Mode;
}

/** Options of `openDocument`. */
export interface OpenDocumentOptions extends TaskOptions, JSONLimits {}

const TASK = ['priority', 'signal', 'timeout'] as const;
const LIMITS = ['maxBytes', 'maxDepth', 'maxKeys'] as const;
const MODES = ['auto', 'sliced'] as const;

export function poolOptions(
  given: number | JSONWorkerPoolOptions | undefined,
): Required<JSONWorkerPoolOptions> {
  const chosen: JSONWorkerPoolOptions =
    typeof given === 'number'
      ? { maxWorkers: given }
      : given === undefined
        ? {}
        : options<JSONWorkerPoolOptions>('options', given, ['maxWorkers', 'maxQueue', 'onFull']);
  const { maxWorkers = defaultWorkers(), maxQueue = 65_536, onFull = 'reject' } = chosen;
  return {
    maxWorkers: integer('maxWorkers', maxWorkers, 1, 1_024),
    maxQueue: maxQueue === Number.POSITIVE_INFINITY ? maxQueue : integer('maxQueue', maxQueue, 0),
    onFull: oneOf('onFull', onFull, ['reject', 'wait']),
  };
}

function defaultWorkers(): number {
  return Math.max(2, Math.min(1_024, Math.floor(availableParallelism() / 2)));
}

/** Checks what all calls have in common. */
export function checkTask({ priority, signal, timeout }: TaskOptions): void {
  if (priority !== undefined) oneOf('priority', priority, PRIORITIES);
  if (signal !== undefined) abortSignal('signal', signal);
  if (timeout !== undefined) number('timeout', timeout, 0, LONGEST_TIMEOUT);
}

/** The limits of a call, or {@link NO_LIMITS} itself. */
export function limitsOf(given: JSONLimits & { maxLineBytes?: number }): Limits {
  const { maxBytes, maxDepth, maxKeys, maxLineBytes } = given;
  const all = [maxBytes, maxDepth, maxKeys, maxLineBytes];
  if (all.every((limit) => limit === undefined)) return NO_LIMITS;
  return {
    maxBytes: limit('maxBytes', maxBytes),
    maxDepth: limit('maxDepth', maxDepth),
    maxKeys: limit('maxKeys', maxKeys),
    maxLineBytes: limit('maxLineBytes', maxLineBytes),
  };
}

function limit(name: string, value: number | undefined): number {
  return value === undefined || value === Number.POSITIVE_INFINITY
    ? Number.POSITIVE_INFINITY
    : integer(name, value, 0);
}

export function checkParse(given: JSONParseOptions): void {
  options<JSONParseOptions>('options', given, [...TASK, ...LIMITS, 'reviver', 'mode']);
  checkTask(given);
  if (given.reviver !== undefined) callable('reviver', given.reviver);
  if (given.mode !== undefined) oneOf('mode', given.mode, MODES);
}

export function checkStream(given: JSONStreamOptions): void {
  options<JSONStreamOptions>('options', given, [...TASK, ...LIMITS, 'mode']);
  checkTask(given);
  if (given.mode !== undefined) oneOf('mode', given.mode, MODES);
}

export function checkLines(given: NDJSONOptions): void {
  options<NDJSONOptions>('options', given, [...TASK, ...LIMITS, 'maxLineBytes', 'onBadLine', 'mode']);
  checkTask(given);
  if (given.onBadLine !== undefined) callable('onBadLine', given.onBadLine);
  if (given.mode !== undefined) oneOf('mode', given.mode, MODES);
}

export function checkDocument(given: OpenDocumentOptions): void {
  options<OpenDocumentOptions>('options', given, [...TASK, ...LIMITS]);
  checkTask(given);
}
