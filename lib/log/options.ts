import { setting } from '../config/current.js';
import { boolean, callable, invalid, oneOf, options as optionsOf, string } from '../validate.js';
import {
  type DestinationSettings,
  destinationsOf,
  LOG_QUEUE_OPTIONS,
  type LogDestination,
  type LogQueueOptions,
} from './destinationOptions.js';
import { LOG_FILE_OPTIONS, type LogFileOptions } from './fileOptions.js';
import { LEVELS, type LogLevel, SEVERITY } from './levels.js';
import { type LogMixin, type LogSerializer, type Preparation, preparation } from './metadata.js';
import { URGENCY } from './native.js';
import { isPlainObject } from './plain.js';
import { redactor } from './redact.js';

/**
 * What is true of a line when its call returns. 'buffer': it is in native memory, which only the death of the process takes;
 * 'write': the system has it, which bears that too; 'fsync': the disk has it. The last two block the event loop meanwhile, for
 * `blockTimeout` at most.
 */
export type LogDurability = 'buffer' | 'write' | 'fsync';

/** Options of a {@link WorkerAsyncLogger}. Times are in milliseconds. */
export interface WorkerAsyncLoggerOptions extends LogFileOptions, LogQueueOptions {
  /** The file. Its folder is made. @default './logs/application.log' */
  logFile?: string | undefined;
  /** Where lines go instead, one or more. */
  destinations?: readonly LogDestination[] | undefined;
  /** Lines below it are not made. @default 'trace' */
  level?: LogLevel | undefined;
  /** Of all lines, or by level. @default 'buffer', where lines from `warn` on are written at once */
  durability?: LogDurability | Partial<Record<LogLevel, LogDurability>> | undefined;
  /** Milliseconds since 1970, ISO 8601 in UTC, or what a function gives. @default 'epoch' */
  timestamp?: 'epoch' | 'iso' | (() => number | string) | undefined;
  /** Members for the metadata of every line: a function, or an AsyncLocalStorage whose store has them. */
  mixin?: LogMixin | { getStore(): object | undefined } | undefined;
  /** By the name of a member of the metadata, what is written in its place. */
  serializers?: Readonly<Record<string, LogSerializer>> | undefined;
  /**
   * Members of the metadata that are not written, as paths such as `password`, `user.token`, `*.secret`, `items[*].id` or
   * `headers["x-api-key"]`; with `censor` for what stands in their place, by default '[Redacted]', or `remove`.
   */
  redact?: readonly string[] | LogRedaction | undefined;
  /** With an OpenTelemetry SDK, lines tell of the active span: trace_id, span_id and trace_flags. @default true */
  traceContext?: boolean | undefined;
  /** What SIGHUP does, which ends the process by default: rotate the files, or open them anew, for an external logrotate. */
  onSighup?: 'rotate' | 'reopen' | undefined;
}

export interface LogRedaction {
  paths: readonly string[];
  /** @default '[Redacted]' */
  censor?: string | ((value: unknown, path: string[]) => unknown) | undefined;
  /** The members are left out. @default false */
  remove?: boolean | undefined;
}

/** Options with their defaults. */
export interface LogSettings {
  readonly severity: number;
  readonly destinations: readonly DestinationSettings[];
  /** By severity. */
  readonly urgencies: readonly number[];
  readonly timestamp: 'epoch' | 'iso' | (() => number | string);
  readonly prepare: Preparation | undefined;
  readonly traceContext: boolean;
  readonly onSighup: 'rotate' | 'reopen' | undefined;
}

const NAMES = [
  ...['logFile', 'destinations', 'level', 'durability', 'timestamp', 'mixin', 'serializers', 'redact'],
  ...['traceContext', 'onSighup'],
  ...LOG_QUEUE_OPTIONS,
  ...LOG_FILE_OPTIONS,
] as (keyof WorkerAsyncLoggerOptions)[];

const DURABILITIES = ['buffer', 'write', 'fsync'] as const;
const HANGUPS = ['rotate', 'reopen'] as const;

/** @throws InvalidArgumentError */
export function logSettings(given: WorkerAsyncLoggerOptions): LogSettings {
  const options = optionsOf<WorkerAsyncLoggerOptions>('options', given, NAMES);
  const { level = setting('log.level'), timestamp = setting('log.timestamp') } = options;
  const { traceContext = true, onSighup, durability = setting('log.durability') } = options;
  const isFormat = timestamp === 'epoch' || timestamp === 'iso' || typeof timestamp === 'function';
  return {
    severity: SEVERITY[oneOf('level', level, LEVELS)],
    destinations: destinationsOf(options),
    urgencies: urgenciesOf(durability),
    timestamp: isFormat ? timestamp : invalid('timestamp', `'epoch', 'iso' or a function`, timestamp),
    prepare: preparationOf(options),
    traceContext: boolean('traceContext', traceContext),
    onSighup: onSighup === undefined ? undefined : oneOf('onSighup', onSighup, HANGUPS),
  };
}

function urgenciesOf(given: NonNullable<WorkerAsyncLoggerOptions['durability']>): number[] {
  const isByLevel = typeof given === 'object';
  const named: Partial<Record<LogLevel, LogDurability>> = isByLevel
    ? optionsOf('durability', given, LEVELS)
    : {};
  return LEVELS.map((level) => {
    const { [level]: durability = isByLevel ? 'buffer' : given } = named;
    const place = isByLevel ? `durability.${level}` : 'durability';
    // Without waiting, from warnings on a line is written at once: what comes next may be the end.
    const buffered = SEVERITY[level] >= SEVERITY.warn ? URGENCY.soon : URGENCY.later;
    return { buffer: buffered, write: URGENCY.written, fsync: URGENCY.durable }[
      oneOf(place, durability, DURABILITIES)
    ];
  });
}

function preparationOf({ mixin, serializers, redact }: WorkerAsyncLoggerOptions): Preparation | undefined {
  return preparation({
    mixin: mixin === undefined ? undefined : mixinOf(mixin),
    serializers: serializers === undefined ? undefined : serializersOf(serializers),
    redact: redact === undefined ? undefined : redactionOf(redact),
  });
}

function mixinOf(mixin: LogMixin | { getStore(): object | undefined }): LogMixin {
  if (typeof mixin === 'function') return mixin;
  if (typeof mixin?.getStore !== 'function')
    return invalid('mixin', 'a function or an AsyncLocalStorage', mixin);
  return () => mixin.getStore();
}

function serializersOf(given: Readonly<Record<string, LogSerializer>>): Record<string, LogSerializer> {
  if (!isPlainObject(given)) invalid('serializers', 'an object of functions', given);
  for (const [name, serializer] of Object.entries(given)) callable(`serializers.${name}`, serializer);
  return { ...given };
}

function redactionOf(given: readonly string[] | LogRedaction) {
  if (Array.isArray(given)) return redactor(given, '[Redacted]');
  const {
    paths,
    censor = '[Redacted]',
    remove = false,
  } = optionsOf<LogRedaction>('redact', given as LogRedaction, [...(['paths', 'censor', 'remove'] as const)]);
  if (!Array.isArray(paths)) invalid('redact.paths', 'a list of paths', paths);
  if (typeof censor !== 'function') string('redact.censor', censor);
  return redactor(paths, boolean('redact.remove', remove) ? undefined : censor);
}
