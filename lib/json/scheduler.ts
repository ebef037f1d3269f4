import type { AsyncResource } from 'node:async_hooks';
import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers';
import { capture, noContext } from '../timer/context.js';

/** Milliseconds of one turn of the event loop that all work together may take. */
const BUDGET = 2;

/** The order of work and of queued tasks: what is higher goes first, what is equal takes turns. */
export const PRIORITIES = ['high', 'normal', 'low'] as const;
export type Priority = (typeof PRIORITIES)[number];

/** Work of the main thread that is done a little at a time. */
export interface Work {
  readonly priority: Priority;
  /** Milliseconds that its steps took so far; the scheduler adds to it. */
  spent: number;
  /** The asynchronous context that it began in, for functions of the user's that it calls; the scheduler sets it. */
  scope?: AsyncResource;
  /**
   * Does a fraction of a millisecond's work. Should not throw: the process hears of it as of an uncaught exception,
   * and the work is over.
   * @returns false once there is nothing more to do now; `schedule` takes it up again
   */
  step(): boolean;
}

/** Milliseconds. Taken at import, like `setImmediate`, so that fake timers do not stop work, which waits for no time. */
export const now: () => number = performance.now.bind(performance);
const queues: Record<Priority, Work[]> = { high: [], normal: [], low: [] };
const scheduled = new Set<Work>();
let running = false;

/** Gives `work` its share of the coming turns, until its `step` returns false. */
export function schedule(work: Work): void {
  if (scheduled.has(work)) return;
  scheduled.add(work);
  work.scope ??= capture() ?? noContext;
  queues[work.priority].push(work);
  if (running) return;
  running = true;
  setImmediate(turn);
}

/** Takes `work` out, whatever is left of it. */
export function unschedule(work: Work): void {
  if (!scheduled.delete(work)) return;
  const queue = queues[work.priority];
  queue.splice(queue.indexOf(work), 1);
}

function stepOf(work: Work): boolean {
  try {
    return work.scope!.runInAsyncScope(work.step, work);
  } catch (error) {
    // Thrown from here it would end the turns of all other work as well.
    queueMicrotask(() => {
      throw error;
    });
    return false;
  }
}

function turn(): void {
  let time = now();
  const end = time + BUDGET;
  do {
    const work = queues.high[0] ?? queues.normal[0] ?? queues.low[0];
    if (work === undefined) {
      running = false;
      return;
    }
    const more = stepOf(work);
    const before = time;
    time = now();
    work.spent += time - before;
    // A step may have taken its own work out, or all.
    if (!scheduled.has(work)) continue;
    const queue = queues[work.priority];
    queue.splice(queue.indexOf(work), 1);
    if (more) queue.push(work);
    else scheduled.delete(work);
  } while (time < end);
  setImmediate(turn);
}
