import { Tag } from './signature.js';

/** Reads `length` rows of one shape at the cursors of `group` and appends them to `out`. */
export type CompiledShape = (length: number, group: GroupStreams, out: unknown[]) => void;

/** Lists with less elements are made to measure; more waste a third at most. */
export const SHORT_LIST = 48;

/** The streams of one group. The arrays may be longer than what the group has. */
export interface GroupStreams {
  readonly ints: Int32Array;
  readonly doubles: Float64Array;
  /** Short strings of Latin-1 after one another. */
  text: string;
  /** Values that came as text, parsed: names of members, then words, then the others in their order. */
  raw: readonly unknown[];
  /** The shapes of the job, by id. */
  shapes: readonly CompiledShape[];
  /** Cursor of `ints`. */
  i: number;
  /** Cursor of `doubles`. */
  d: number;
  /** Cursor of `text`. */
  t: number;
  /** Cursor of `raw`. */
  r: number;
}

/** Streams over buffers that serve one group after the other. */
export function groupStreams(ints: Int32Array, doubles: Float64Array): GroupStreams {
  return { ints, doubles, text: '', raw: [], shapes: [], i: 0, d: 0, t: 0, r: 0 };
}

/**
 * Appends the `count` values of a group to `out`.
 *
 * @param named whether they are members of an object, whose names are the first `count` values of `group.raw`
 */
export function decodeGroup(
  count: number,
  shapes: readonly CompiledShape[],
  group: GroupStreams,
  out: unknown[],
  named = false,
): void {
  group.shapes = shapes;
  group.i = 1;
  group.d = 0;
  group.t = 0;
  group.r = (named ? count : 0) + group.ints[0]!;
  readRuns(group, count, out);
}

function readRuns(group: GroupStreams, count: number, out: unknown[]): void {
  const { ints, shapes } = group;
  for (let left = count; left > 0; ) {
    const shape = shapes[ints[group.i++]!]!;
    const length = ints[group.i++]!;
    shape(length, group, out);
    left -= length;
  }
}

/** An array that is told in runs. */
export function readRows(group: GroupStreams, count: number): unknown[] {
  const out: unknown[] = [];
  readRuns(group, count, out);
  return count < SHORT_LIST ? out.slice() : out;
}

const single: unknown[] = [];

/** The object or array that comes after `tag`. */
export function readTagged(group: GroupStreams, tag: number): unknown {
  const { ints, shapes } = group;
  if (tag === Tag.ROWS) return readRows(group, ints[group.i++]!);
  shapes[ints[group.i++]!]!(1, group, single);
  return single.pop();
}
