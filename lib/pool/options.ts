import { setting } from '../config/current.js';
import { abortSignal, callable, integer, invalid, number, oneOf, options, string } from '../validate.js';

type Awaitable<T> = T | PromiseLike<T>;

/**
 * What a pool asks of those who know its connections. The pool calls these outside of any caller's async context,
 * but for `alive`, `reset`, `ref` and `unref`, which may run in that of the call that lends or returns.
 */
export interface ConnectionFactory<T> {
  /** Opens a connection. The signal aborts after `createTimeout`, and when the pool closes; what comes later is destroyed. */
  create(context: { signal: AbortSignal }): Awaitable<T>;
  /** Closes a connection. The pool waits for it up to `closeTimeout`. */
  destroy?(connection: T): Awaitable<void>;
  /** Whether a connection is fit for use, told at once and at no cost: asked before each lending and each return. */
  alive?(connection: T): boolean;
  /** Whether a connection answers: asked before it is lent after `validateAfter` of idling, and every `probeInterval`. */
  validate?(connection: T, context: { signal: AbortSignal }): Awaitable<boolean>;
  /** Makes a returned connection fit for the next. It is discarded if this fails, or takes longer than `validateTimeout`. */
  reset?(connection: T): Awaitable<void>;
  /** Called when a connection is lent: it is to keep the process alive. */
  ref?(connection: T): void;
  /** Called when a connection becomes idle: it is not to keep the process alive. */
  unref?(connection: T): void;
}

/** Options of a {@link ConnectionPool}. Times are in milliseconds; Infinity means never. */
export interface ConnectionPoolOptions {
  /** Connections at most, those that open or close included, 1 to 65,536. @default 10 */
  max?: number | undefined;
  /** Connections that are kept open, 0 to `max`. The first acquire or `ready()` opens them. @default 0 */
  min?: number | undefined;
  /** Acquires that may wait, 0 or more; one beyond them gets QueueFullError. @default Infinity */
  maxQueue?: number | undefined;
  /** From an acquire to its connection, whatever it takes. @default 10,000 */
  acquireTimeout?: number | undefined;
  /** For `create`. @default 10,000 */
  createTimeout?: number | undefined;
  /** For `destroy`. @default 5,000 */
  closeTimeout?: number | undefined;
  /** An idle connection beyond `min` is closed after this. @default 30,000 */
  idleTimeout?: number | undefined;
  /** A connection is closed this long after it was opened, when it is not lent. @default 1,800,000 */
  maxLifetime?: number | undefined;
  /** Up to which share of `maxLifetime` is taken off at random, so that not all end together. @default 0.1 */
  lifetimeJitter?: number | undefined;
  /** How often a connection is lent before it is closed. @default Infinity */
  maxUses?: number | undefined;
  /** Which idle connection is lent: that used last, or that used least recently. @default 'lifo' */
  order?: 'lifo' | 'fifo' | undefined;
  /** A connection that has idled for so long is validated before it is lent; 0: each time. @default 1,000 */
  validateAfter?: number | undefined;
  /** For `validate`, and for `reset`. @default 2,000 */
  validateTimeout?: number | undefined;
  /** Idle connections are validated this often. @default 30,000 */
  probeInterval?: number | undefined;
  /**
   * A connection that is lent for longer is reported by a `leak` event. Makes each acquire capture a stack.
   * @default Infinity, in the profile 'development' 60,000
   */
  leakAfter?: number | undefined;
  /** Bounds of the wait after a `create` that failed, which doubles with each and is random below. @default 50 to 500 */
  backoff?: { min?: number | undefined; max?: number | undefined } | undefined;
  /**
   * What becomes of acquires while no connection lives and `failureThreshold` attempts in a row have failed: they
   * wait for their deadline, or fail at once with PoolUnavailableError. @default 'wait'
   */
  onOutage?: 'wait' | 'fail' | undefined;
  /** @default 3 */
  failureThreshold?: number | undefined;
  /** For errors, events and metrics. @default 'pool-' and a number */
  name?: string | undefined;
}

/** What goes first among those that wait. */
export type AcquirePriority = 'high' | 'normal' | 'low';

/** Options of one acquire. */
export interface AcquireOptions {
  /** Milliseconds, instead of `acquireTimeout`. */
  timeout?: number | undefined;
  /** Those of one priority are served in their order. @default 'normal' */
  priority?: AcquirePriority | undefined;
  /** Gives up waiting; the acquire rejects with its reason. */
  signal?: AbortSignal | undefined;
  /** The connection that this key had last is preferred, if it is idle. */
  affinity?: string | undefined;
}

/** Options of `ready`. */
export interface ReadyOptions {
  /** Milliseconds. @default acquireTimeout */
  timeout?: number | undefined;
  signal?: AbortSignal | undefined;
}

/** Options of `close`. */
export interface CloseOptions {
  /** Milliseconds that lent connections have to come back. @default Infinity */
  timeout?: number | undefined;
}

export const PRIORITIES: readonly AcquirePriority[] = ['high', 'normal', 'low'];

const NEVER = Number.POSITIVE_INFINITY;
const LIMIT = 65_536;

/** A pool's options with their defaults. */
export interface Settings {
  readonly name: string;
  readonly max: number;
  readonly min: number;
  readonly maxQueue: number;
  readonly acquireTimeout: number;
  readonly createTimeout: number;
  readonly closeTimeout: number;
  readonly validateTimeout: number;
  readonly leakAfter: number;
  /** As the native core wants them. */
  readonly native: Float64Array;
}

const NAMES = [
  ...['max', 'min', 'maxQueue', 'acquireTimeout', 'createTimeout', 'closeTimeout', 'idleTimeout'],
  ...['maxLifetime', 'lifetimeJitter', 'maxUses', 'order', 'validateAfter', 'validateTimeout'],
  ...['probeInterval', 'leakAfter', 'backoff', 'onOutage', 'failureThreshold', 'name'],
] as (keyof ConnectionPoolOptions)[];

const ACQUIRE_NAMES = ['timeout', 'priority', 'signal', 'affinity'] as const;

let unnamed = 0;

/** A time in milliseconds, Infinity allowed. */
export function duration(name: string, value: unknown, min = 0): number {
  if (typeof value === 'number' && value >= min) return value;
  return invalid(name, `a number of milliseconds from ${min}`, value);
}

/** A whole number, Infinity allowed. */
function count(name: string, value: unknown, min: number): number {
  return value === NEVER ? value : integer(name, value, min);
}

/** Checks a pool's options; `factory` decides what validation there can be. */
export function poolSettings(given: ConnectionPoolOptions, factory: ConnectionFactory<any>): Settings {
  const chosen = options<ConnectionPoolOptions>('options', given, NAMES);
  const { maxQueue = setting('pool.maxQueue'), acquireTimeout = setting('pool.acquireTimeout') } = chosen;
  const { createTimeout = setting('pool.createTimeout'), closeTimeout = 5_000 } = chosen;
  const { max = setting('pool.max'), min = Math.min(setting('pool.min'), max) } = chosen;
  const { validateTimeout = 2_000, leakAfter = setting('pool.leakAfter') } = chosen;
  const settings = {
    name: chosen.name === undefined ? `pool-${++unnamed}` : string('name', chosen.name),
    max: integer('max', max, 1, LIMIT),
    min: integer('min', min, 0, max),
    maxQueue: count('maxQueue', maxQueue, 0),
    acquireTimeout: duration('acquireTimeout', acquireTimeout),
    createTimeout: duration('createTimeout', createTimeout, 1),
    closeTimeout: duration('closeTimeout', closeTimeout),
    validateTimeout: duration('validateTimeout', validateTimeout, 1),
    leakAfter: duration('leakAfter', leakAfter, 1),
  };
  return { ...settings, native: nativeOptions(settings, chosen, factory) };
}

/** In the order that the native core reads them: see lib/pool/native.ts. */
function nativeOptions(
  settings: Omit<Settings, 'native'>,
  chosen: ConnectionPoolOptions,
  factory: ConnectionFactory<any>,
): Float64Array {
  const { idleTimeout = setting('pool.idleTimeout'), maxLifetime = setting('pool.maxLifetime') } = chosen;
  const { lifetimeJitter = 0.1, maxUses = NEVER, failureThreshold = 3 } = chosen;
  const { validateAfter = 1_000, probeInterval = 30_000, order = 'lifo' } = chosen;
  const { onOutage = setting('pool.onOutage') } = chosen;
  const backoff = backoffBounds(chosen.backoff);
  duration('validateAfter', validateAfter);
  duration('probeInterval', probeInterval, 1);
  return Float64Array.of(
    settings.max,
    settings.min,
    duration('idleTimeout', idleTimeout),
    duration('maxLifetime', maxLifetime, 1),
    number('lifetimeJitter', lifetimeJitter, 0, 1),
    count('maxUses', maxUses, 1),
    oneOf('order', order, ['lifo', 'fifo']) === 'lifo' ? 1 : 0,
    // What is free is asked at each lending anyway.
    factory.validate === undefined ? NEVER : validateAfter,
    settings.validateTimeout,
    (factory.validate ?? factory.alive) === undefined ? NEVER : probeInterval,
    settings.leakAfter,
    settings.maxQueue,
    settings.max,
    settings.createTimeout,
    backoff.min,
    backoff.max,
    oneOf('onOutage', onOutage, ['wait', 'fail']) === 'fail' ? 1 : 0,
    integer('failureThreshold', failureThreshold, 1),
    Math.floor(Math.random() * 2 ** 32),
  );
}

function backoffBounds(given: ConnectionPoolOptions['backoff'] = {}): { min: number; max: number } {
  const { min = 50, max = Math.max(500, min) } = options<NonNullable<typeof given>>('backoff', given, [
    'min',
    'max',
  ]);
  number('backoff.min', min, 1, 2 ** 31);
  return { min, max: number('backoff.max', max, min, 2 ** 31) };
}

/** Checks that a factory has a `create`, and that what else it has are functions. */
export function checkFactory<T>(factory: unknown): ConnectionFactory<T> {
  if (typeof factory !== 'object' || factory === null) {
    invalid('factory', 'an object with a function "create"', factory);
  }
  const given = factory as ConnectionFactory<T>;
  callable('factory.create', given.create);
  for (const name of ['destroy', 'alive', 'validate', 'reset', 'ref', 'unref'] as const) {
    if (given[name] !== undefined) callable(`factory.${name}`, given[name]);
  }
  return given;
}

/** Checks the options of an acquire. */
export function acquireOptions(given: AcquireOptions): AcquireOptions {
  const chosen = options<AcquireOptions>('options', given, ACQUIRE_NAMES);
  const { timeout, priority, signal, affinity } = chosen;
  if (timeout !== undefined) duration('timeout', timeout);
  if (priority !== undefined) oneOf('priority', priority, PRIORITIES);
  if (signal !== undefined) abortSignal('signal', signal);
  if (affinity !== undefined) string('affinity', affinity);
  return chosen;
}

export function readyOptions(given: ReadyOptions): ReadyOptions {
  const { timeout, signal } = options<ReadyOptions>('options', given, ['timeout', 'signal']);
  if (timeout !== undefined) duration('timeout', timeout);
  if (signal !== undefined) abortSignal('signal', signal);
  return given;
}

export function closeTimeoutOf(given: CloseOptions): number {
  const { timeout = NEVER } = options<CloseOptions>('options', given, ['timeout']);
  return duration('timeout', timeout);
}
