import type { NativeDocument } from './document.js';

/** What {@link NativePool.take} answers; `src/json.rs` has the same numbers. */
export const STEP = {
  nothing: 0,
  open: 1,
  close: 2,
  shape: 3,
  compiledInArray: 4,
  compiledInObject: 5,
  textInArray: 6,
  textInObject: 7,
  badLine: 8,
  document: 9,
  done: 10,
  fault: 11,
  damaged: 12,
  broken: 13,
} as const;

/** What a job makes of its text. */
export const GOAL = { build: 0, check: 1, lines: 2, keep: 3 } as const;

/** How it does it. */
export const FLAG = { compiled: 1, inflate: 2, skipBadLines: 4 } as const;

/** Places in the head of what was taken last. */
export const HEAD = { count: 0, position: 1, line: 2, column: 3, kind: 4 } as const;

/** Units and bytes of the streams of one group: see GROUP_BYTES and crates/core/src/json/encode. */
const INTS = 2 ** 18;
const DOUBLES = 2 ** 17;

/** About how much text of one container is built at once, in bytes. */
export const GROUP_BYTES = 65_536;

/** The native part of a document: see src/json_document.rs. */
export interface NativePool {
  /** Starts a job and returns its number. Priorities: 0 is the highest, 2 the lowest. Limits: Infinity is none. */
  open(
    goal: number,
    priority: number,
    flags: number,
    maxBytes: number,
    maxDepth: number,
    maxKeys: number,
    groupBytes: number,
    maxLineBytes: number,
  ): number;
  /** Starts a job that builds the bytes from `start` to `end` of a document. */
  openPart(
    document: number,
    start: number,
    end: number,
    priority: number,
    flags: number,
    groupBytes: number,
  ): number;
  /** Starts a job that builds an array of what a pattern finds in a document. */
  openColumn(document: number, pattern: string, priority: number, flags: number, groupBytes: number): number;
  /** Appends a copy of `text`, and returns whether there is room for more; if not, `wake` will be called. */
  pushText(job: number, text: string): boolean;
  /** Appends a copy of the bytes from `start` to `end`, like `pushText`. */
  pushBytes(job: number, bytes: Uint8Array, start: number, end: number): boolean;
  /** Says that nothing more will be appended. */
  end(job: number): void;
  /** Takes the next step of a job, a number of {@link STEP}; after `nothing`, `wake` will be called. */
  take(job: number): number;
  /** Whether a job has room again; what tells so by `wake` may have been heard before `take` said `nothing`. */
  isHungry(job: number): boolean;
  /** Whether nothing will come of a job before something is pushed; `wake` will not be called then. */
  isIdle(job: number): boolean;
  /** The text of the step taken last: names of containers that open as JSON or '', a signature, the text stream, JSON, or a message. */
  text(): string;
  /** Its raw stream, or the excerpt of a fault. */
  raw(): string;
  /** The document of the step taken last, once. */
  document(): NativeDocument;
  /** Checks a text at once, and returns `done` or `fault`. */
  check(text: string, maxBytes: number, maxDepth: number, maxKeys: number): number;
  /** Forgets a job, and drops what it has left to do. */
  drop(job: number): void;
  /** Milliseconds that threads have worked on a job. */
  spent(job: number): number;
  /** Whether the process is to stay alive. */
  hold(hold: number): void;
  /** Threads that are alive. */
  threads(): number;
  /** Drops all jobs and ends the threads; `wake` will be called when they have ended. */
  close(): void;
}

/** A text that is put together outside of V8's heap: see src/json_text.rs. */
export interface NativeText {
  push(piece: string): void;
  /** The text; from 2^20 units on, where Node can, without another copy of it. */
  finish(): string;
}

/** The arrays in which the steps of all jobs of a pool arrive. */
export interface StepMemory {
  readonly head: Float64Array;
  readonly ints: Int32Array;
  readonly doubles: Float64Array;
}

export function stepMemory(): StepMemory {
  return { head: new Float64Array(8), ints: new Int32Array(INTS), doubles: new Float64Array(DOUBLES) };
}
