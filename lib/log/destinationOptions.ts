import { realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { setting } from '../config/current.js';
import { InvalidArgumentError } from '../errors.js';
import { boolean, integer, invalid, oneOf, options as optionsOf, path } from '../validate.js';
import { fileNumbers, LOG_FILE_OPTIONS, type LogFileOptions } from './fileOptions.js';
import { LEVELS, type LogLevel, SEVERITY } from './levels.js';
import { type NativeLogNumbers, ON_FULL, TARGETS } from './native.js';

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
   * dropped. Lines that `pretty` makes readable have neither. @default false
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
  /**
   * For a reader instead of a program; 'auto': where it is a terminal. Colours as the environment wants them.
   * @default false, in the profile 'development' 'auto'
   */
  pretty?: boolean | 'auto' | undefined;
}

export type LogDestination = LogFileDestination | LogStreamDestination;

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

export const LOG_QUEUE_OPTIONS = [
  ...['maxBuffer', 'maxBufferBytes', 'onFull', 'blockTimeout', 'flushInterval', 'flushBytes', 'timeout'],
  'sequence',
] as (keyof LogQueueOptions)[];

const FILE_NAMES = [
  'file',
  'level',
  ...LOG_QUEUE_OPTIONS,
  ...LOG_FILE_OPTIONS,
] as (keyof LogFileDestination)[];
const STREAM_NAMES = ['stream', 'level', 'pretty', ...LOG_QUEUE_OPTIONS] as (keyof LogStreamDestination)[];

const LONGEST = 2 ** 31 - 1;
const MIB = 2 ** 20;

/** What a destination has of the logger, with its own before it. */
type Inherited<Own> = Own & LogFileOptions & LogQueueOptions;

/** What the logger says of its destinations. */
interface Given extends LogFileOptions, LogQueueOptions {
  logFile?: string | undefined;
  destinations?: readonly LogDestination[] | undefined;
  /** Changes at run time, and is not that of a destination. */
  level?: LogLevel | undefined;
}

/** @throws InvalidArgumentError */
export function destinationsOf({
  logFile,
  destinations,
  level: _,
  ...options
}: Given): DestinationSettings[] {
  if (destinations === undefined) {
    const file = logFile === undefined ? './logs/application.log' : logFile;
    return [fileSettings('logFile', { ...options, file }, same)];
  }
  if (logFile !== undefined)
    throw new InvalidArgumentError('"logFile" and "destinations" exclude each other');
  const isList = Array.isArray(destinations) && destinations.length > 0;
  const list: readonly LogDestination[] = isList
    ? destinations
    : invalid('destinations', 'a list of one destination or more', destinations);
  // Where none of them is a file, nobody else looks at these.
  fileNumbers(options, same);
  const settings = Array.from(list, (destination, index) =>
    destinationSettings(`destinations[${index}]`, destination, options),
  );
  if (new Set(settings.map(identityOf)).size < settings.length) {
    throw new InvalidArgumentError('"destinations" must differ: two of them are the same file or stream');
  }
  return settings;
}

/** The full name of an option, for an error. */
type Naming = (option: string) => string;

const same: Naming = (option) => option;

function destinationSettings(
  place: string,
  given: LogDestination,
  options: LogFileOptions & LogQueueOptions,
): DestinationSettings {
  const isStream = typeof given === 'object' && given !== null && 'stream' in given;
  const own = isStream
    ? optionsOf<LogStreamDestination>(place, given, STREAM_NAMES)
    : optionsOf<LogFileDestination>(place, given, FILE_NAMES);
  const named = Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined));
  const naming: Naming = (option) => (option in named ? `${place}.${option}` : option);
  return isStream
    ? streamSettings(place, { ...options, ...named } as Inherited<LogStreamDestination>, naming)
    : fileSettings(`${place}.file`, { ...options, ...named } as Inherited<LogFileDestination>, naming);
}

function streamSettings(
  place: string,
  options: Inherited<LogStreamDestination>,
  naming: Naming,
): DestinationSettings {
  const { stream, level = 'trace', pretty = setting('log.pretty') } = options;
  const name = oneOf(`${place}.stream`, stream, ['stdout', 'stderr']);
  return {
    severity: SEVERITY[oneOf(naming('level'), level, LEVELS)],
    name,
    pretty: pretty === 'auto' ? 'auto' : boolean(naming('pretty'), pretty),
    ...{ rotation: '', symlink: '' },
    ...queueSettings(TARGETS.indexOf(name), options, fileNumbers({}, same).numbers, naming),
  };
}

function fileSettings(
  place: string,
  options: Inherited<LogFileDestination>,
  naming: Naming,
): DestinationSettings {
  const { numbers, rotation, symlink } = fileNumbers(options, naming);
  const { file, level = 'trace' } = options;
  const name = path(place, file);
  if (symlink !== '' && resolve(symlink) === resolve(name)) {
    invalid(naming('symlink'), 'another path than that of the file', symlink);
  }
  return {
    severity: SEVERITY[oneOf(naming('level'), level, LEVELS)],
    ...{ name, pretty: false, rotation, symlink },
    ...queueSettings(TARGETS.indexOf('file'), options, numbers, naming),
  };
}

function queueSettings(
  target: number,
  options: LogQueueOptions,
  file: FileNumbers,
  naming: Naming,
): { timeout: number; numbers: NativeLogNumbers } {
  const {
    maxBuffer = setting('log.maxBuffer'),
    maxBufferBytes = file.journal ? 8 * MIB : setting('log.maxBufferBytes'),
    onFull = setting('log.onFull'),
    blockTimeout = 1000,
    flushInterval = setting('log.flushInterval'),
    flushBytes = MIB / 16,
    timeout = setting('log.timeout'),
    sequence = false,
  } = options;
  const patience = integer(naming('timeout'), timeout, 1, LONGEST);
  const numbers: NativeLogNumbers = {
    target,
    maxBytes: integer(naming('maxBufferBytes'), maxBufferBytes, 1024, 2 ** 40),
    maxLines: integer(naming('maxBuffer'), maxBuffer, 1, 2 ** 30),
    onFull: ON_FULL.indexOf(oneOf(naming('onFull'), onFull, ON_FULL)),
    wait: integer(naming('blockTimeout'), blockTimeout, 0, LONGEST),
    flushInterval: integer(naming('flushInterval'), flushInterval, 0, LONGEST),
    flushBytes: integer(naming('flushBytes'), flushBytes, 1, 2 ** 40),
    timeout: patience,
    numbered: Number(boolean(naming('sequence'), sequence)),
    ...file,
  };
  return { timeout: patience, numbers };
}

type FileNumbers = ReturnType<typeof fileNumbers>['numbers'];

/** What two destinations that are the same have alike, however they spell a path. */
function identityOf({ name, numbers }: DestinationSettings): string {
  if (numbers.target !== TARGETS.indexOf('file')) return `${numbers.target}`;
  const file = resolve(name);
  return `file ${realPath(file) ?? join(realPath(dirname(file)) ?? dirname(file), basename(file))}`;
}

function realPath(file: string): string | undefined {
  try {
    return realpathSync.native(file);
  } catch {
    // It is not there yet.
    return undefined;
  }
}
