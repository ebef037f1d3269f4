/** Kinds of what `take` tells, with a number and a text about it. */
export const TOLD = {
  nothing: 0,
  /** A ticket's request was carried out. */
  done: 1,
  /** It was not; the text says why. */
  notDone: 2,
  /** The file cannot be written: the system's number of the error, and its text. */
  failed: 3,
  /** It could be written again, after so many milliseconds. */
  recovered: 4,
  /** The file has the name of the text now. */
  rotated: 5,
} as const;

/** Places of what `counts` writes. Times are in microseconds. */
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
  writeTime: 12,
  latency: 13,
} as const;

/** Numbers of the array that `take` and `counts` write to. */
export const ROOM: number = Object.keys(COUNT).length;

/** What becomes of lines for which there is no room, in the order of their numbers. */
export const ON_FULL = ['drop-oldest', 'drop-newest', 'block'] as const;

/**
 * A handle on a log over an array of {@link ROOM} numbers: see src/log.rs and crates/log. All handles of a process on one
 * file, in whatever thread, share a queue and a thread that writes.
 */
export interface NativeLog {
  /** Takes a line in, and gives it a line feed. An urgent one is written at once. false: it was dropped, and counted. */
  push(urgent: number, line: string): boolean;
  /** Asks to be told when all that was pushed is in the file, if `durable` on the disk, within so many ms. Returns a ticket. */
  flush(durable: number, timeout: number): number;
  /** Asks for a rotation behind all that was pushed. Returns a ticket. */
  rotate(timeout: number): number;
  /** Has the file opened anew. */
  reopen(): void;
  /** Blocks until all that was pushed is in the file, so many ms at most. Returns how many lines are not. */
  drain(timeout: number): number;
  /** Writes the numbers of {@link COUNT}, of all handles. */
  counts(): void;
  /** Takes what there is to tell, one of {@link TOLD}; its number, or ticket, is the first of the numbers. */
  take(): number;
  /** The text of what was taken last. */
  text(): string;
  /** 1: the process stays alive. 0: it does not because of this. */
  hold(hold: number): void;
  /** Ends the handle. With the last one what is left is written in the background. */
  close(): void;
}
