import { setting } from '../config/current.js';
import { callable, integer, invalid, options as named, oneOf, string } from '../validate.js';

/** When a resource stops. Each phase begins when all of the one before it have stopped. */
export type LifecyclePhase = 'accept' | 'requests' | 'timers' | 'queues' | 'pools' | 'loggers';

/** In their order. */
export const PHASES: readonly LifecyclePhase[] = [
  'accept',
  'requests',
  'timers',
  'queues',
  'pools',
  'loggers',
];

/** What was cut off, by kind: `{ requests: 2, connections: 5 }`. */
export type CutOff = Record<string, number>;

/** What `stop` gets. */
export interface StopContext {
  /** Why there is a shutdown. */
  readonly reason: string;
  /** Milliseconds that are left for this call. */
  readonly timeout: number;
  /** Aborts when they are over, and the shutdown goes on without. Its reason is a TimeoutError. */
  readonly signal: AbortSignal;
  /** Reports that so many of a kind were cut off. To be called before the end, or in an `abort` listener. */
  cutOff(kind: string, count: number): void;
}

/** What `start` gets. */
export interface StartContext {
  /** Aborts when a shutdown begins. */
  readonly signal: AbortSignal;
}

/** Where a resource stands. */
export interface PlaceOptions {
  /** @default what suits its class for keelson's own, else 'pools' */
  phase?: LifecyclePhase | undefined;
  /** Names of resources that it uses until it has stopped. They are registered already. */
  dependsOn?: readonly string[] | undefined;
  /** Milliseconds that it may take to stop, 1 to 2^31 - 1, within its phase's budget. @default that budget */
  timeout?: number | undefined;
}

/** A resource by what starts and stops it. */
export interface ResourceOptions extends PlaceOptions {
  /** Called by `ready()`, once those that it depends on have started. */
  start?: ((context: StartContext) => unknown) | undefined;
  /** What it returns is awaited. */
  stop: (context: StopContext) => unknown;
}

/** How a server is drained. */
export interface ServerOptions {
  /** @default 'server' */
  name?: string | undefined;
  dependsOn?: readonly string[] | undefined;
  /** Milliseconds for requests in flight, 1 to 2^31 - 1, within that phase's budget. @default that budget */
  timeout?: number | undefined;
  /**
   * Milliseconds from the end of accepting until connections are destroyed that have no request under way and do not end: 0 to
   * 600,000. @default 1000
   */
  grace?: number | undefined;
}

export interface LifecycleOptions {
  /**
   * Milliseconds from the moment at which readiness is false until servers stop accepting, so that load balancers notice: 0 to
   * 600,000, and never more than half of the timeout. @default 5000 in the profile 'production', else 0
   */
  readinessDelay?: number | undefined;
  /**
   * Milliseconds for a shutdown, with that delay: 1 to 2^31 - 1. A tenth of it is kept for the loggers.
   * @default 25,000, in the profile 'development' 5000
   */
  timeout?: number | undefined;
  /**
   * Milliseconds for each phase, 1 to 2^31 - 1.
   * @default accept 5000, requests 10,000, timers 1000, queues, pools and loggers 5000 each
   */
  budgets?: Partial<Record<LifecyclePhase, number>> | undefined;
}

export interface ShutdownOptions {
  /** For the report, and for who stops. @default 'shutdown' */
  reason?: string | undefined;
  /** Instead of the lifecycle's own. */
  timeout?: number | undefined;
}

export interface SignalOptions {
  /** @default ['SIGTERM', 'SIGINT'] */
  signals?: readonly NodeJS.Signals[] | undefined;
  /**
   * After the shutdown, sets `process.exitCode` to 0, or to 1 if something failed or was cut off, and ends the process a second
   * later if something still holds it. Without it the first signal only shuts down. @default true
   */
  exit?: boolean | undefined;
}

/** A lifecycle's options with their defaults. */
export interface Settings {
  readonly readinessDelay: number;
  readonly timeout: number;
  /** Milliseconds that connections without a request have by default. */
  readonly grace: number;
  readonly budgets: Readonly<Record<LifecyclePhase, number>>;
}

const LONGEST = 2 ** 31 - 1;
const PLACE_NAMES = ['phase', 'dependsOn', 'timeout'] as const;

export function settingsOf(given: LifecycleOptions): Settings {
  named<LifecycleOptions>('options', given, ['readinessDelay', 'timeout', 'budgets']);
  const { readinessDelay = setting('lifecycle.readinessDelay') } = given;
  const { timeout = setting('lifecycle.timeout') } = given;
  const budgets = {
    ...{ accept: 5_000, requests: setting('lifecycle.budgets.requests'), timers: 1_000 },
    ...{ queues: setting('lifecycle.budgets.queues'), pools: 5_000, loggers: 5_000 },
  };
  named<LifecycleOptions['budgets'] & {}>('budgets', given.budgets ?? {}, PHASES);
  for (const phase of PHASES) {
    const budget = given.budgets?.[phase];
    if (budget !== undefined) budgets[phase] = timeoutOf(`budgets.${phase}`, budget);
  }
  return {
    readinessDelay: integer('readinessDelay', readinessDelay, 0, 600_000),
    timeout: timeoutOf('timeout', timeout),
    grace: setting('lifecycle.grace'),
    budgets,
  };
}

export function timeoutOf(name: string, value: unknown): number {
  return integer(name, value, 1, LONGEST);
}

export function nameOf(value: unknown): string {
  const name = string('name', value);
  return name === '' ? invalid('name', 'a name', value) : name;
}

/** A place, with Infinity for no timeout of its own. */
export interface Place {
  readonly phase: LifecyclePhase | undefined;
  readonly dependsOn: readonly string[];
  readonly timeout: number;
}

export function placeOf(given: PlaceOptions): Place {
  named<PlaceOptions>('options', given, PLACE_NAMES);
  const { phase, dependsOn = [], timeout } = given;
  if (!Array.isArray(dependsOn)) invalid('dependsOn', 'an array of names', dependsOn);
  return {
    phase: phase === undefined ? undefined : oneOf('phase', phase, PHASES),
    dependsOn: [...new Set(dependsOn.map((name) => string('dependsOn', name)))],
    timeout: timeout === undefined ? Number.POSITIVE_INFINITY : timeoutOf('timeout', timeout),
  };
}

/** What a resource that is given by its `stop` says of itself. */
export function checkResource(given: ResourceOptions): {
  place?: PlaceOptions;
  start?: ((context: StartContext) => unknown) | undefined;
} {
  named<ResourceOptions>('resource', given, [...PLACE_NAMES, 'start', 'stop']);
  const { start, phase, dependsOn, timeout } = given;
  if (start !== undefined) callable('start', start);
  return { place: { phase, dependsOn, timeout }, start: start && ((context) => given.start!(context)) };
}
