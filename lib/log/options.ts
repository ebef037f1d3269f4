import { InvalidArgumentError } from '../errors.js';
import { boolean, callable, integer, invalid, oneOf, options as optionsOf, string } from '../validate.js';
import { fileNumbers, LOG_FILE_OPTIONS, type LogFileOptions } from './fileOptions.js';
import { LEVELS, type LogLevel, SEVERITY } from './levels.js';
import { type LogMixin, type LogSerializer, type Preparation, preparation } from './metadata.js';
import { type NativeLogNumbers, ON_FULL, TARGETS, URGENCY } from './native.js';
import { redactor } from './redact.js';

/** What waits to be written. Times are in milliseconds. */
export interface LogQueueOptions {
  /** Lines that may wait to be written, 1 or more. @default 10,000 */
  maxBuffer?: number | undefined;
  /** Bytes that may wait to be written, 1,024 or more. @default 64 MiB; 8 MiB with mode 'mmap', which takes twice of it on the disk */
  maxBufferBytes?: number | undefined;
  /**
   * What becomes of a line for which there is no room: it takes the place of the oldest, is dropped itself, or its call waits
   * for room. @default 'drop-oldest'
   */
  onFull?: 'drop-oldest' | 'drop-newest' | 'block' | undefined;
  /** How long a call waits at most: with 'block' for room, then the line is dropped; with `durability` for its line. @default 1,000 */
  blockTimeout?: number | undefined;
  /** How long a line waits for others to be written with, 0 or more; from `warn` on none does. @default 100 */
  flushInterval?: number | undefined;
  /** So many bytes are written at once, 1 or more. @default 64 KiB */
  flushBytes?: number | undefined;
  /** How long `flush()` and `rotate()` wait for what cannot be written, and `destroy()` and the end of the process. @default 5,000 */
  timeout?: number | undefined;
  /**
   * Lines get the members `writer`, the same for all of a process, and `sequence`, from 0 on without a gap: a gap is a line that was
   * dropped. @default false
   */
  sequence?: boolean | undefined;
}

/** A file that lines of `level` and above go to. What is not given is as in the options of the logger. */
export interface LogFileDestination extends LogFileOptions, LogQueueOptions {
  /** The file. Its folder is made. */
  file: string;
  /** @default 'trace' */
  level?: LogLevel | undefined;
}

/** A stream of the process that lines of `level` and above go to. */
export interface LogStreamDestination extends LogQueueOptions {
  stream: 'stdout' | 'stderr';
  /** @default 'trace' */
  level?: LogLevel | undefined;
  /** For a reader instead of a program; 'auto': where it is a terminal. Colours as the environment wants them. @default false */
  pretty?: boolean | 'auto' | undefined;
}

export type LogDestination = LogFileDestination | LogStreamDestination;

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

/** A destination with its defaults. */
export interface DestinationSettings {
  /** Of the least line that goes there. */
  readonly severity: number;
  /** The file, or the name of the stream. */
  readonly name: string;
  readonly pretty: boolean | 'auto';
  readonly rotation: string;
  readonly symlink: string;
  readonly timeout: number;
  readonly numbers: NativeLogNumbers;
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

const QUEUE_OPTIONS = [
  ...['maxBuffer', 'maxBufferBytes', 'onFull', 'blockTimeout', 'flushInterval', 'flushBytes', 'timeout'],
  'sequence',
] as (keyof LogQueueOptions)[];

const NAMES = [
  ...['logFile', 'destinations', 'level', 'durability', 'timestamp', 'mixin', 'serializers', 'redact'],
  ...['traceContext', 'onSighup'],
  ...QUEUE_OPTIONS,
  ...LOG_FILE_OPTIONS,
] as (keyof WorkerAsyncLoggerOptions)[];

const FILE_NAMES = ['file', 'level', ...QUEUE_OPTIONS, ...LOG_FILE_OPTIONS] as (keyof LogFileDestination)[];
const STREAM_NAMES = ['stream', 'level', 'pretty', ...QUEUE_OPTIONS] as (keyof LogStreamDestination)[];

const DURABILITIES = ['buffer', 'write', 'fsync'] as const;
const HANGUPS = ['rotate', 'reopen'] as const;
const LONGEST = 2 ** 31 - 1;
const MIB = 2 ** 20;

/** @throws InvalidArgumentError */
export function logSettings(given: WorkerAsyncLoggerOptions): LogSettings {
  const options = optionsOf<WorkerAsyncLoggerOptions>('options', given, NAMES);
  const { level = 'trace', timestamp = 'epoch', traceContext = true, onSighup } = options;
  const isFormat = timestamp === 'epoch' || timestamp === 'iso' || typeof timestamp === 'function';
  return {
    severity: SEVERITY[oneOf('level', level, LEVELS)],
    destinations: destinationsOf(options),
    urgencies: urgenciesOf(options.durability),
    timestamp: isFormat ? timestamp : invalid('timestamp', `'epoch', 'iso' or a function`, timestamp),
    prepare: preparationOf(options),
    traceContext: boolean('traceContext', traceContext),
    onSighup: onSighup === undefined ? undefined : oneOf('onSighup', onSighup, HANGUPS),
  };
}

function destinationsOf(options: WorkerAsyncLoggerOptions): DestinationSettings[] {
  const { logFile, destinations } = options;
  if (destinations === undefined) {
    return [fileSettings('logFile', logFile ?? './logs/application.log', 'trace', options)];
  }
  if (logFile !== undefined)
    throw new InvalidArgumentError('"logFile" and "destinations" exclude each other');
  const isList = Array.isArray(destinations) && destinations.length > 0;
  const list: readonly LogDestination[] = isList
    ? destinations
    : invalid('destinations', 'a list of one destination or more', destinations);
  const settings = list.map((destination, place) =>
    destinationSettings(`destinations[${place}]`, destination, options),
  );
  if (new Set(settings.map(({ name }) => name)).size < settings.length) {
    throw new InvalidArgumentError('"destinations" must differ: two of them are the same file or stream');
  }
  return settings;
}

function destinationSettings(
  name: string,
  given: LogDestination,
  options: WorkerAsyncLoggerOptions,
): DestinationSettings {
  if (typeof given === 'object' && given !== null && 'stream' in given) {
    const stream = optionsOf<LogStreamDestination>(name, given, STREAM_NAMES);
    return streamSettings(name, stream, { ...options, ...stream });
  }
  const file = optionsOf<LogFileDestination>(name, given, FILE_NAMES);
  return fileSettings(`${name}.file`, file.file, file.level ?? 'trace', { ...options, ...file });
}

function streamSettings(
  place: string,
  { stream, level = 'trace', pretty = false }: LogStreamDestination,
  options: LogQueueOptions,
): DestinationSettings {
  const name = oneOf(`${place}.stream`, stream, ['stdout', 'stderr']);
  return {
    severity: SEVERITY[oneOf(`${place}.level`, level, LEVELS)],
    name,
    pretty: pretty === 'auto' ? 'auto' : boolean(`${place}.pretty`, pretty),
    ...{ rotation: '', symlink: '' },
    ...queueSettings(TARGETS.indexOf(name), options, fileNumbers({}).numbers),
  };
}

function fileSettings(
  place: string,
  file: unknown,
  level: LogLevel,
  options: LogFileOptions & LogQueueOptions,
): DestinationSettings {
  const { numbers, rotation, symlink } = fileNumbers(options);
  return {
    severity: SEVERITY[oneOf(place.replace(/(file|logFile)$/, 'level'), level, LEVELS)],
    name: pathOf(place, file),
    ...{ pretty: false, rotation, symlink },
    ...queueSettings(TARGETS.indexOf('file'), options, numbers),
  };
}

function queueSettings(
  target: number,
  options: LogQueueOptions,
  file: Pick<NativeLogNumbers, FileNumber>,
): { timeout: number; numbers: NativeLogNumbers } {
  const {
    maxBuffer = 10_000,
    maxBufferBytes = (file.journal ? 8 : 64) * MIB,
    onFull = 'drop-oldest',
    blockTimeout = 1000,
    flushInterval = 100,
    flushBytes = MIB / 16,
    timeout = 5000,
    sequence = false,
  } = options;
  const patience = integer('timeout', timeout, 1, LONGEST);
  const numbers: NativeLogNumbers = {
    target,
    maxBytes: integer('maxBufferBytes', maxBufferBytes, 1024, 2 ** 40),
    maxLines: integer('maxBuffer', maxBuffer, 1, 2 ** 30),
    onFull: ON_FULL.indexOf(oneOf('onFull', onFull, ON_FULL)),
    wait: integer('blockTimeout', blockTimeout, 0, LONGEST),
    flushInterval: integer('flushInterval', flushInterval, 0, LONGEST),
    flushBytes: integer('flushBytes', flushBytes, 1, 2 ** 40),
    timeout: patience,
    numbered: Number(boolean('sequence', sequence)),
    ...file,
  };
  return { timeout: patience, numbers };
}

type FileNumber = keyof ReturnType<typeof fileNumbers>['numbers'];

function urgenciesOf(given: WorkerAsyncLoggerOptions['durability']): number[] {
  const ofAll = typeof given === 'object' && given !== null ? undefined : given;
  const byLevel = ofAll === undefined && given !== undefined ? given : {};
  const named = optionsOf<Partial<Record<LogLevel, LogDurability>>>('durability', byLevel, LEVELS);
  return LEVELS.map((level) => {
    const durability = named[level] ?? ofAll ?? 'buffer';
    const place = ofAll === undefined ? `durability.${level}` : 'durability';
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
  if (typeof given !== 'object' || given === null) invalid('serializers', 'an object', given);
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

function pathOf(name: string, given: unknown): string {
  const file = string(name, given);
  return file === '' || file.includes('\0') ? invalid(name, 'the path of a file', given) : file;
}
