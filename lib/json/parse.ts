import { Construction, faultError } from './construction.js';
import type { Input, WholeInput } from './input.js';
import { flagsOf, type Jobs, type Limits, type Mode, NO_LIMITS } from './jobs.js';
import { FLAG, GOAL, STEP } from './native.js';
import type { Reviver } from './options.js';
import { now, schedule, unschedule } from './scheduler.js';
import type { Task } from './tasks.js';

/** Units or bytes of text up to which JSON.parse takes less time than asking another thread, and no more than a slice. */
export const DIRECT = 65_536;

/** How to build a document. */
export interface Construct {
  readonly limits: Limits;
  readonly mode: Mode;
  readonly reviver?: Reviver | undefined;
}

/** What JSON.parse takes: anything but bytes is text, or becomes text. */
export function textOrBytes(data: unknown): string | Uint8Array {
  if (typeof data === 'string') return data;
  if (ArrayBuffer.isView(data)) {
    return data instanceof Uint8Array ? data : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  }
  // Unlike String(), this refuses a symbol, as JSON.parse does.
  return `${data as string}`;
}

function textOf(data: string | Uint8Array): string {
  if (typeof data === 'string') return data;
  // A view of the same bytes costs as much as all else that a short text takes here.
  return (
    Buffer.isBuffer(data) ? data : Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  ).toString();
}

/**
 * Parses at once, on this thread.
 * @throws JSONSyntaxError, JSONLimitError, or what the reviver throws
 */
export function parseNow(jobs: Jobs, data: string | Uint8Array, limits: Limits, reviver?: Reviver): unknown {
  const text = textOf(data);
  if (limits !== NO_LIMITS) check(jobs, text, limits);
  try {
    return JSON.parse(text, reviver) as unknown;
  } catch (error) {
    // What the reviver threw may be a SyntaxError too.
    check(jobs, text, NO_LIMITS);
    throw error;
  }
}

function check(jobs: Jobs, text: string, limits: Limits): void {
  const { maxBytes, maxDepth, maxKeys } = limits;
  if (jobs.native.check(text, maxBytes, maxDepth, maxKeys) === STEP.fault) throw faultError(jobs, limits);
}

/** Parses as `task`: on this thread in its turn where the text is small, else together with a native thread. */
export function startParse(task: Task, jobs: Jobs, input: WholeInput, how: Construct): void {
  const { limits, reviver } = how;
  if (input.data.length <= DIRECT) {
    once(task, () => {
      task.figures.parsed += input.data.length;
      return parseNow(jobs, input.data, limits, reviver);
    });
  } else if (reviver === undefined) {
    startConstruction(task, jobs, GOAL.build, flagsOf(how.mode), limits, input);
  } else {
    const job = jobs.open(GOAL.check, task.priority, 0, limits);
    const checking = new Construction(jobs, job, task.priority, input, limits, {
      succeed: () => once(task, () => JSON.parse(textOf(input.data), reviver) as unknown),
      fail: (error) => task.fail(error),
    });
    task.stop = () => checking.stop();
  }
}

/** Runs a job whose result is the task's. */
export function startConstruction(
  task: Task,
  jobs: Jobs,
  goal: number,
  flags: number,
  limits: Limits,
  input: Input,
): Construction {
  return startJob(task, jobs, jobs.open(goal, task.priority, flags, limits), limits, input);
}

/** Builds what a job tells. */
export function startJob(
  task: Task,
  jobs: Jobs,
  job: number,
  limits = NO_LIMITS,
  input?: Input,
): Construction {
  const construction = new Construction(jobs, job, task.priority, input, limits, task);
  task.stop = () => construction.stop();
  return construction;
}

/** Does the task's work in one go, when it is its turn among all work of this thread. */
export function once(task: Task, action: () => unknown): void {
  const work = {
    priority: task.priority,
    spent: 0,
    step(): boolean {
      const begun = now();
      let settle: () => void;
      try {
        const result = action();
        settle = () => task.succeed(result);
      } catch (error) {
        settle = () => task.fail(error);
      }
      task.figures.mainTime.record(now() - begun);
      settle();
      return false;
    },
  };
  task.stop = () => unschedule(work);
  schedule(work);
}

/** Flags of a job that reads a file or a stream, which may be compressed. */
export function streamFlags(mode: Mode): number {
  return flagsOf(mode) | FLAG.inflate;
}
