import { setting } from '../config/current.js';
import { Lifecycle } from '../lifecycle.js';
import { boolean, callable, integer, invalid, options as named, number, oneOf, string } from '../validate.js';
import type { HealthStatus, Identity } from './document.js';

/** Which question a check belongs to. */
export type HealthKind = 'live' | 'ready' | 'startup';

/** What a check may say; saying nothing is 'pass'. */
export interface HealthResult {
  /** @default 'pass' */
  status?: HealthStatus | undefined;
  /** @default how long the check took */
  observedValue?: unknown;
  observedUnit?: string | undefined;
  /** Why it is not 'pass'. */
  output?: string | undefined;
}

export interface HealthCheckOptions {
  /** @default 'ready' */
  kind?: HealthKind | undefined;
  /** Fails by throwing or rejecting. The signal aborts when its time is over. */
  // biome-ignore lint/suspicious/noConfusingVoidType: a function that returns nothing is a check
  check: (signal: AbortSignal) => HealthResult | void | PromiseLike<HealthResult | void>;
  /** Milliseconds that it may take, 1 to 600,000. @default 1000 */
  timeout?: number | undefined;
  /** Milliseconds for which its result is used again, 0 to 3,600,000. @default 1000, in the profile 'test' 0 */
  cache?: number | undefined;
  /** 'component', 'datastore', 'system', or a term or URI of one's own. */
  componentType?: string | undefined;
  /** Whether the service cannot do without: otherwise its failure is a warning. @default true */
  isCritical?: boolean | undefined;
  /** What does not work while it does not pass. */
  affectedEndpoints?: readonly string[] | undefined;
}

/** Readiness by the delay of the event loop, at the 99th percentile and without the longest one: a single pause is none. */
export interface EventLoopLagOptions {
  /** Milliseconds from which on it warns. @default half of `max` */
  warn?: number | undefined;
  /** Milliseconds from which on it fails. @default 1000 */
  max?: number | undefined;
  /** Milliseconds that are looked back at least, and at most twice: 100 to 600,000. @default 5000 */
  window?: number | undefined;
}

/** Shares above 0 and up to 1 from which on a measurement warns and fails. */
export interface Thresholds {
  warn?: number | undefined;
  fail?: number | undefined;
}

/** Readiness by memory; `false` leaves a measurement out. */
export interface MemoryOptions {
  /** The heap against V8's limit. @default { warn: 0.85, fail: 0.95 } */
  heap?: Thresholds | false | undefined;
  /** The process against the limit of its container, or the machine's memory. @default { warn: 0.85, fail: 0.95 } */
  rss?: Thresholds | false | undefined;
  /**
   * All of the container (cgroup v2 or v1) against its limit, without files that the system only keeps; not there without a limit.
   * @default { warn: 0.9, fail: 0.97 }
   */
  cgroup?: Thresholds | false | undefined;
}

export interface HealthOptions {
  /** Ready from its `ready()` on, and until its shutdown begins. */
  lifecycle?: Lifecycle | undefined;
  /** As for `addCheck`, by name; a function is all of it. */
  checks?: Readonly<Record<string, HealthCheckOptions | HealthCheckOptions['check']>> | undefined;
  /** `false`: none. @default true */
  eventLoopLag?: EventLoopLagOptions | boolean | undefined;
  /** `false`: none. @default true */
  memory?: MemoryOptions | boolean | undefined;
  /** Public version of the service. */
  version?: string | undefined;
  releaseId?: string | undefined;
  notes?: readonly string[] | undefined;
  serviceId?: string | undefined;
  description?: string | undefined;
}

/** Who sees the checks of a document. */
export interface HealthHandlerOptions {
  /** Checks tell outsiders much: for whom they are in the document. A function that throws says no. @default false */
  details?: boolean | ((req: any) => boolean) | undefined;
}

/** Paths that middleware answers; `false` leaves one out. */
export interface HealthMiddlewareOptions extends HealthHandlerOptions {
  /** @default '/livez' */
  live?: string | false | undefined;
  /** @default '/readyz' */
  ready?: string | false | undefined;
  /** @default '/startupz' */
  startup?: string | false | undefined;
  /** All of it. @default '/health' */
  health?: string | false | undefined;
}

/** A check's options with their defaults. */
export interface CheckSettings {
  readonly kind: HealthKind;
  readonly check: HealthCheckOptions['check'];
  readonly timeout: number;
  readonly cache: number;
  readonly componentType: string | undefined;
  readonly isCritical: boolean;
  readonly affectedEndpoints: readonly string[];
}

const CHECK_NAMES = [
  'kind',
  'check',
  'timeout',
  'cache',
  'componentType',
  'isCritical',
  'affectedEndpoints',
] as const;
const TEXTS = ['version', 'releaseId', 'serviceId', 'description'] as const;

export function checkSettingsOf(given: HealthCheckOptions | HealthCheckOptions['check']): CheckSettings {
  if (typeof given === 'function') return checkSettingsOf({ check: given });
  named<HealthCheckOptions>('check', given, CHECK_NAMES);
  const { timeout = setting('health.checks.timeout'), cache = setting('health.checks.cache') } = given;
  const { kind = 'ready', componentType, isCritical = true } = given;
  return {
    kind: oneOf('kind', kind, ['live', 'ready', 'startup']),
    check: callable('check', given.check),
    timeout: integer('timeout', timeout, 1, 600_000),
    cache: integer('cache', cache, 0, 3_600_000),
    componentType: componentType === undefined ? undefined : string('componentType', componentType),
    isCritical: boolean('isCritical', isCritical),
    affectedEndpoints: texts('affectedEndpoints', given.affectedEndpoints ?? []),
  };
}

function texts(name: string, value: unknown): string[] {
  if (!Array.isArray(value)) invalid(name, 'an array of strings', value);
  return value.map((text) => string(name, text));
}

export function checkHealthOptions(given: HealthOptions): void {
  const known = ['lifecycle', 'checks', 'eventLoopLag', 'memory', 'notes', ...TEXTS] as const;
  named<HealthOptions>('options', given, known);
  if (given.lifecycle !== undefined && !(given.lifecycle instanceof Lifecycle)) {
    invalid('lifecycle', 'a Lifecycle', given.lifecycle);
  }
}

export function identityOf(given: HealthOptions): Identity {
  const identity: Identity = {};
  for (const name of TEXTS) {
    const value = given[name];
    if (value !== undefined) identity[name] = string(name, value);
  }
  if (given.notes !== undefined) identity.notes = texts('notes', given.notes);
  return identity;
}

export function lagOf(given: EventLoopLagOptions): { warn: number; fail: number; window: number } {
  named<EventLoopLagOptions>('eventLoopLag', given, ['warn', 'max', 'window']);
  const { max = setting('health.eventLoopLag.max'), warn = max / 2, window = 5_000 } = given;
  number('eventLoopLag.max', max, 1, 600_000);
  return {
    warn: number('eventLoopLag.warn', warn, 0, max),
    fail: max,
    window: integer('eventLoopLag.window', window, 100, 600_000),
  };
}

export function thresholdsOf(
  name: string,
  given: Thresholds,
  defaults: { readonly warn: number; readonly fail: number },
): { warn: number; fail: number } {
  named<Thresholds>(name, given, ['warn', 'fail']);
  const fail = number(`${name}.fail`, given.fail ?? defaults.fail, 0.01, 1);
  return { warn: number(`${name}.warn`, given.warn ?? Math.min(defaults.warn, fail), 0, fail), fail };
}
