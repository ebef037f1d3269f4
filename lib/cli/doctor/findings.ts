import { grows } from './growth.js';
import type { DoctorOptions } from './options.js';
import type { Place, Places } from './places.js';
import type { CollectionNote, Frame, JsonNote, TimerNote } from './probe/types.js';
import type { Look } from './thread.js';

/** Something that is to be mended. */
export interface Finding {
  kind: 'Map' | 'Set' | 'array' | 'object' | 'interval' | 'timeout' | 'JSON.parse' | 'JSON.stringify';
  /** High: it does not end by itself, or blocks for 100 ms and more. */
  severity: 'high' | 'medium';
  thread: string;
  title: string;
  evidence: Record<string, number>;
  /** The innermost place in the service's code, and what called it. Empty where it is not known. */
  places: Place[];
  /** Other places that add to it. */
  others: Place[];
  /** What holds it, from its root: told by --deep. */
  path?: string;
  advice: string;
}

/** Milliseconds from which a blocking call is severe. */
const SEVERE = 100;

const round = (value: number) => Number(value.toPrecision(3));
const shown = (value: number) => round(value).toLocaleString('en-US', { maximumFractionDigits: 2 });
const whole = (value: number) => value.toLocaleString('en-US');

/** What one look at a thread has found, the worst first. */
export function findingsOf(look: Look, options: DoctorOptions, places: Places): Finding[] {
  const { notes } = look;
  if (notes === undefined) return [];
  const found = [
    ...notes.collections.flatMap((note) => collection(note, look, options)),
    ...notes.timers.flatMap((note) => timers(note, look, options)),
    ...hidden(look, options),
    ...notes.json.map(json),
  ];
  return found.map(({ frames, others = [], ...finding }) => ({
    ...finding,
    thread: look.thread,
    places: frames.map((frame) => places.of(frame)),
    others: others.map((frame) => places.of(frame)),
  }));
}

/** The worst first, and of those the ones that grow or block most. */
export function sorted(findings: Finding[]): Finding[] {
  const weight = ({ severity, evidence }: Finding) =>
    (severity === 'high' ? 1e15 : 0) + (evidence.perSecond ?? evidence.totalMs ?? 0);
  return findings.sort((a, b) => weight(b) - weight(a));
}

type Draft = Omit<Finding, 'thread' | 'places' | 'others'> & { frames: Frame[]; others?: Frame[] };

const MEND: Record<CollectionNote['kind'], string> = {
  Map: 'Bound it: new BoundedLRUCache(10_000, 60_000) has get, set, has and delete as a Map has. If its entries have an end of their own, delete them there.',
  Set: 'Bound it: a BoundedLRUCache whose values are true, or delete what has served.',
  array:
    'Bound it: new CircularBuffer(1_000) keeps the latest ones. If it is a queue, take from it as fast as it fills.',
  object: 'It is used as a dictionary: a BoundedLRUCache has a bound and an expiry.',
};

function collection(
  note: CollectionNote,
  { collections, held, paths, seconds, active }: Look,
  { minGrowth }: DoctorOptions,
): Draft[] {
  const sizes = collections.get(note.id) ?? [];
  // Half of the time has to have been seen: what is younger may yet come to an end.
  if (!held.has(note.id) || sizes.length < active.length / 2 || !grows(sizes, minGrowth)) return [];
  const [first, last] = [sizes[0]!, sizes.at(-1)!];
  const over = (seconds * sizes.length) / active.length;
  const evidence = { from: first, to: last, grown: last - first, perSecond: round((last - first) / over) };
  const path = paths.get(note.id);
  const special = note.name.toLowerCase() !== note.kind.toLowerCase() && note.name !== '';
  const name = special ? `${note.kind} (${note.name})` : note.kind;
  return [
    {
      kind: note.kind,
      severity: sizes.every((size, index) => index === 0 || size >= sizes[index - 1]!) ? 'high' : 'medium',
      title: `${name} only grows: ${whole(first)} → ${whole(last)} entries, ${shown(evidence.perSecond)} a second`,
      evidence,
      frames: note.stacks[0]?.frames ?? [],
      others: note.stacks.slice(1, 4).map(({ frames }) => frames[0]!),
      ...(path === undefined ? {} : { path }),
      advice: MEND[note.kind],
    },
  ];
}

function timers(note: TimerNote, look: Look, { minGrowth }: DoctorOptions): Draft[] {
  const sizes = look.timers.get(note.id) ?? [];
  if (!grows(sizes, minGrowth)) return [];
  const { created, live, minDelay, maxDelay } = note;
  const interval = note.kind === 'setInterval';
  if (!interval && !accumulates(note, look)) return [];
  const evidence = {
    created,
    ended: created - live,
    live,
    perSecond: round((sizes.at(-1)! - sizes[0]!) / look.seconds),
    minDelayMs: minDelay,
    maxDelayMs: maxDelay,
  };
  const what = interval ? 'Intervals' : 'Timeouts';
  return [
    {
      kind: interval ? 'interval' : 'timeout',
      severity: interval ? 'high' : 'medium',
      title: `${what} accumulate: ${whole(created)} made, ${whole(created - live)} ended, ${shown(evidence.perSecond)} more a second`,
      evidence,
      frames: note.frames,
      advice: interval
        ? 'Keep what setInterval returns, and clear it when its owner ends. A TimerManager of keelson for each owner ends all of its timers by destroy().'
        : `Each lives for up to ${shown(maxDelay / 1000)} s unless it is cleared. Clear it once what it waits for is there, or make it through a TimerManager, which holds a million timers in a fraction of the memory.`,
    },
  ];
}

/**
 * Timeouts end by themselves, so that those of a steady load look like a leak in a window shorter than their delay; but
 * then as many older ones end meanwhile, and the number of all stays.
 */
function accumulates({ created, live, maxDelay }: TimerNote, { active, seconds }: Look): boolean {
  const grown = active.at(-1)! - active[0]!;
  return maxDelay > seconds * 1000 && live * 2 > created && grown * 2 > live && grows(active, 1);
}

function hidden({ hidden, seconds }: Look, { minGrowth }: DoctorOptions): Draft[] {
  return hidden
    .filter(({ count }) => count >= minGrowth)
    .map(({ count, interval, callback }) => ({
      kind: interval ? 'interval' : 'timeout',
      severity: 'medium',
      title: `Active ${interval ? 'intervals' : 'timeouts'} increase, ${whole(count)} of which call ${callback ? 'this function' : "a function of Node's"}`,
      evidence: { live: count, seconds: round(seconds) },
      frames: callback ? [callback] : [],
      advice:
        'They were not seen to be made, by code that took its setTimeout or setInterval before the doctor came. Clear them when their owner ends.',
    }));
}

function json({ method, frames, count, maxMs, totalMs, maxLength }: JsonNote): Draft {
  const parse = method === 'JSON.parse';
  return {
    kind: method,
    severity: maxMs >= SEVERE ? 'high' : 'medium',
    title: `${method} blocks: ${whole(count)} ${count === 1 ? 'call' : 'calls'}, ${shown(maxMs)} ms at most, ${shown(totalMs)} ms in all, texts of up to ${whole(maxLength)} characters`,
    evidence: { count, maxMs: round(maxMs), totalMs: round(totalMs), maxLength },
    frames,
    advice: parse
      ? 'await parseJSONAsync(text) of keelson parses in slices between which the event loop runs.'
      : 'await stringifyJSONAsync(value) of keelson writes in slices between which the event loop runs.',
  };
}
