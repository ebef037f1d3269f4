import { integer, number, oneOf, options as optionsOf, string } from '../validate.js';
import { LEVELS, type LogLevel, SEVERITY } from './levels.js';
import { ON_FULL } from './native.js';

/** Options of a {@link WorkerAsyncLogger}. Times are in milliseconds. */
export interface WorkerAsyncLoggerOptions {
  /** The file. Its folder is made. @default './logs/application.log' */
  logFile?: string | undefined;
  /** The file is rotated before it gets longer than so many bytes, but by one line alone; Infinity: never. @default 100 MiB */
  maxFileSize?: number | undefined;
  /** Lines that may wait to be written, 1 or more. @default 10,000 */
  maxBuffer?: number | undefined;
  /** Bytes that may wait to be written, 1,024 or more. @default 64 MiB */
  maxBufferBytes?: number | undefined;
  /**
   * What becomes of a line for which there is no room: it takes the place of the oldest, is dropped itself, or its call waits
   * for room. @default 'drop-oldest'
   */
  onFull?: 'drop-oldest' | 'drop-newest' | 'block' | undefined;
  /** With 'block', how long a call waits at most; then the line is dropped. @default 1,000 */
  blockTimeout?: number | undefined;
  /** How long a line waits for others to be written with, 0 or more; from `warn` on none does. @default 100 */
  flushInterval?: number | undefined;
  /** So many bytes are written at once, 1 or more. @default 64 KiB */
  flushBytes?: number | undefined;
  /** Lines below it are not made. @default 'trace' */
  level?: LogLevel | undefined;
  /** How long `flush()` and `rotate()` wait for a file that cannot be written, and `destroy()` and the end of the process. @default 5,000 */
  timeout?: number | undefined;
}

/** Options with their defaults. */
export interface LogSettings {
  readonly logFile: string;
  readonly level: number;
  readonly timeout: number;
  /** As native code reads them: see src/log.rs. */
  readonly numbers: Float64Array;
}

const NAMES = [
  ...['logFile', 'maxFileSize', 'maxBuffer', 'maxBufferBytes', 'onFull', 'blockTimeout', 'flushInterval'],
  ...['flushBytes', 'level', 'timeout'],
] as (keyof WorkerAsyncLoggerOptions)[];

const LONGEST = 2 ** 31 - 1;
const MIB = 2 ** 20;

/** @throws InvalidArgumentError */
export function logSettings(given: WorkerAsyncLoggerOptions): LogSettings {
  const {
    logFile = './logs/application.log',
    maxFileSize = 100 * MIB,
    maxBuffer = 10_000,
    maxBufferBytes = 64 * MIB,
    onFull = 'drop-oldest',
    blockTimeout = 1000,
    flushInterval = 100,
    flushBytes = MIB / 16,
    level = 'trace',
    timeout = 5000,
  } = optionsOf<WorkerAsyncLoggerOptions>('options', given, NAMES);
  const size = number('maxFileSize', maxFileSize, 1, Number.POSITIVE_INFINITY);
  const patience = integer('timeout', timeout, 1, LONGEST);
  return {
    logFile: fileOf(logFile),
    level: SEVERITY[oneOf('level', level, LEVELS)],
    timeout: patience,
    numbers: Float64Array.of(
      integer('maxBufferBytes', maxBufferBytes, 1024, 2 ** 40),
      integer('maxBuffer', maxBuffer, 1, 2 ** 30),
      ON_FULL.indexOf(oneOf('onFull', onFull, ON_FULL)),
      integer('blockTimeout', blockTimeout, 0, LONGEST),
      integer('flushInterval', flushInterval, 0, LONGEST),
      integer('flushBytes', flushBytes, 1, 2 ** 40),
      // 0 is for never.
      size === Number.POSITIVE_INFINITY ? 0 : Math.max(1, Math.floor(size)),
      patience,
    ),
  };
}

function fileOf(given: unknown): string {
  const file = string('logFile', given);
  return file === '' || file.includes('\0') ? string('logFile', undefined) : file;
}
