import { setting } from '../config/current.js';
import { integer, invalid, number, oneOf, options as optionsOf, path } from '../validate.js';
import { COMPRESSIONS, type NativeLogNumbers, TIMEZONES } from './native.js';

/** Which rotated files stay; without any bound, all. */
export interface LogKeep {
  /** So many of the newest at most. */
  count?: number | undefined;
  /** Those that were rotated so many milliseconds ago at most. */
  age?: number | undefined;
  /** As many of the newest as take so many bytes together at most, compressed where they are. */
  bytes?: number | undefined;
}

/** How a file is kept. */
export interface LogFileOptions {
  /** The file is rotated before it gets longer than so many bytes, but by one line alone; Infinity: never. @default 100 MiB */
  maxFileSize?: number | undefined;
  /** When it is rotated besides, unless it is empty: a cron expression of five fields, such as `0 0 * * 1`, or one of these. */
  rotation?: 'hourly' | 'daily' | 'weekly' | 'monthly' | (string & {}) | undefined;
  /** By which clock. Names of rotated files have the time in UTC in any case, by which they sort. @default 'local' */
  timezone?: 'local' | 'utc' | undefined;
  /** Which rotated files stay. @default all */
  keep?: LogKeep | undefined;
  /** How rotated files are compressed, in the background. @default not at all */
  compression?: 'gzip' | 'zstd' | undefined;
  /** A symbolic link that leads to the file. */
  symlink?: string | undefined;
  /** The permissions of a new file, such as 0o640, where the system has such. @default what the process gives its files */
  fileMode?: number | undefined;
  /**
   * Where lines wait. 'mmap': also in a file beside the log, `NAME.EXT.ring-N`, which the next logger of the file finds, and writes
   * them, if this process is killed. It outlives the process and not the machine; on a disk without room for it the constructor throws.
   * @default 'memory'
   */
  mode?: 'memory' | 'mmap' | undefined;
}

type Numbers = Pick<
  NativeLogNumbers,
  'journal' | 'maxSize' | 'timezone' | 'keepCount' | 'keepAge' | 'keepBytes' | 'compression' | 'mode'
>;

export const LOG_FILE_OPTIONS = [
  ...['maxFileSize', 'rotation', 'timezone', 'keep', 'compression', 'symlink', 'fileMode', 'mode'],
] as (keyof LogFileOptions)[];

const NONE = -1;

/**
 * Options of a file as native code has them.
 *
 * @param naming the full name of an option, for an error
 * @throws InvalidArgumentError
 */
export function fileNumbers(
  given: LogFileOptions,
  naming: (option: string) => string,
): { numbers: Numbers; rotation: string; symlink: string } {
  const {
    maxFileSize = setting('log.maxFileSize'),
    rotation,
    timezone = 'local',
    keep = {},
    compression,
    symlink,
    fileMode,
    mode = 'memory',
  } = given;
  const size = number(naming('maxFileSize'), maxFileSize, 1, Number.POSITIVE_INFINITY);
  const { count, age, bytes } = optionsOf<LogKeep>(naming('keep'), keep, ['count', 'age', 'bytes']);
  const bound = (name: string, value: number | undefined): number =>
    value === undefined ? NONE : integer(`${naming('keep')}.${name}`, value, 0);
  return {
    rotation: rotation === undefined ? '' : patternOf(naming('rotation'), rotation),
    symlink: symlink === undefined ? '' : path(naming('symlink'), symlink),
    numbers: {
      journal: Number(oneOf(naming('mode'), mode, ['memory', 'mmap']) === 'mmap'),
      maxSize: size === Number.POSITIVE_INFINITY ? 0 : Math.max(1, Math.floor(size)),
      timezone: TIMEZONES.indexOf(oneOf(naming('timezone'), timezone, TIMEZONES)),
      ...{ keepCount: bound('count', count), keepAge: bound('age', age), keepBytes: bound('bytes', bytes) },
      compression:
        compression === undefined
          ? NONE
          : COMPRESSIONS.indexOf(oneOf(naming('compression'), compression, COMPRESSIONS)),
      mode: fileMode === undefined ? NONE : integer(naming('fileMode'), fileMode, 0, 0o7777),
    },
  };
}

const NICKNAMES = ['hourly', 'daily', 'weekly', 'monthly'];

/** Native code reads the pattern itself. */
function patternOf(name: string, rotation: string): string {
  if (NICKNAMES.includes(rotation)) return `@${rotation}`;
  const isPattern = typeof rotation === 'string' && rotation.trim().split(/\s+/).length === 5;
  return isPattern ? rotation.trim() : invalid(name, ACCEPTED, rotation);
}

const ACCEPTED = `'hourly', 'daily', 'weekly', 'monthly' or a cron expression of five fields`;
