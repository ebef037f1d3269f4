/** Kinds of what `take` tells, with a number and a text about it. */
export const TOLD = {
  nothing: 0,
  /** A ticket's request was carried out. */
  done: 1,
  /** It was not; the text says why. */
  notDone: 2,
  /** It cannot be written: the system's number of the error, and its text. */
  failed: 3,
  /** It could be written again, after so many milliseconds. */
  recovered: 4,
  /** The file has the name of the text now. */
  rotated: 5,
  /** A rotated file or a journal is not as it was wanted: the system's number of the error, and its text. */
  untidy: 6,
} as const;

/** How a line is taken in: it waits for others, is written at once, or its call waits until it is written, or on the disk. */
export const URGENCY = { later: 0, soon: 1, written: 2, durable: 3 } as const;

/** The first argument of `entry`: an urgency, and these. */
export const LEVEL_SHIFT = 2;
export const HAS_METADATA: number = 1 << 5;
/** The time is written as ISO 8601 has it. */
export const ISO: number = 1 << 6;
export const HAS_MORE: number = 1 << 7;
/** Which members of the metadata are told beside it too: 1 requestId, 2 userId, 4 service. */
export const LIFTS_SHIFT = 8;

/** Places of what `counts` writes. The time of writes is in microseconds, those of lines are in milliseconds. */
export const COUNT = {
  waitingLines: 0,
  waitingBytes: 1,
  accepted: 2,
  written: 3,
  bytes: 4,
  droppedFull: 5,
  droppedOversized: 6,
  droppedClosed: 7,
  droppedLost: 8,
  writes: 9,
  failures: 10,
  rotations: 11,
  recovered: 12,
  writeTime: 13,
  p50: 14,
  p90: 15,
  p99: 16,
  p999: 17,
  max: 18,
  mean: 19,
} as const;

/** Numbers of the array that `take` and `counts` write to. */
export const ROOM: number = Object.keys(COUNT).length;

/** What becomes of lines for which there is no room, in the order of their numbers. */
export const ON_FULL = ['drop-oldest', 'drop-newest', 'block'] as const;

/** Where lines go, in the order of their numbers. */
export const TARGETS = ['file', 'stdout', 'stderr'] as const;

/** How rotated files are compressed, in the order of their numbers. */
export const COMPRESSIONS = ['gzip', 'zstd'] as const;

/** By which clock a file is rotated, in the order of their numbers. */
export const TIMEZONES = ['local', 'utc'] as const;

/** Options of a log that are no texts, from the first on; -1 is for none where there may be none. Times are in ms. */
export interface NativeLogNumbers {
  /** Of {@link TARGETS}. */
  target: number;
  maxBytes: number;
  maxLines: number;
  /** Of {@link ON_FULL}. */
  onFull: number;
  /** For how long a call waits, for room or until its line is written. */
  wait: number;
  flushInterval: number;
  flushBytes: number;
  timeout: number;
  /** 1: what waits is in a file too, for the next process. */
  journal: number;
  /** 1: lines are numbered. */
  numbered: number;
  /** 0: no bound. */
  maxSize: number;
  /** Of {@link TIMEZONES}. */
  timezone: number;
  keepCount: number;
  keepAge: number;
  keepBytes: number;
  /** Of {@link COMPRESSIONS}. */
  compression: number;
  mode: number;
}

/**
 * A handle on a log over an array of {@link ROOM} numbers: see src/log.rs and crates/log. All handles of a process on one
 * file or stream, in whatever thread, share a queue and a thread that writes.
 */
export interface NativeLog {
  /** Takes a line in, and gives it a line feed. The first argument is its urgency. false: it was dropped, and counted. */
  line(urgency: number, line: string): boolean;
  /**
   * Makes a line and takes it in, as `line` does: `kind` has its urgency, level and flags, `time` is in ms since 1970,
   * `message` has no lone surrogates, `metadata` is what JSON.stringify made, and `more` has members with a comma before each.
   */
  entry(kind: number, time: number, message: string, metadata: string | undefined, more: string): boolean;
  /** Asks to be told when all that was taken in is in the file, if `durable` on the disk, within so many ms. Returns a ticket. */
  flush(durable: number, timeout: number): number;
  /** Asks for a rotation behind all that was taken in. Returns a ticket. */
  rotate(timeout: number): number;
  /** Has the file opened anew. */
  reopen(): void;
  /** Blocks until all that was taken in is in the file, so many ms at most. Returns how many lines are not. */
  drain(timeout: number): number;
  /** Writes the numbers of {@link COUNT}, of all handles. */
  counts(): void;
  /** Takes what there is to tell, one of {@link TOLD}; its number, or ticket, is the first of the numbers. */
  take(): number;
  /** The text of what was taken last. */
  text(): string;
  /** 1: the process stays alive. 0: it does not because of this. */
  hold(hold: number): void;
  /**
   * Ends the handle. With the last one what is left is written, for so many ms at most, and then the thread ends. Returns a ticket
   * for that.
   */
  close(patience: number): number;
  /** After the end: lets go of the function that is called when `take` has something. */
  release(): void;
}
