import { DestroyedError, JSONLimitError, JSONSyntaxError, TimeoutError } from '../errors.js';
import { Histogram } from '../histogram.js';

/** Why calls failed, counted. */
export interface TaskErrors {
  /** The text was not JSON. */
  syntax: number;
  /** The text was beyond a limit of the call. */
  limit: number;
  aborted: number;
  timeout: number;
  /** Pending at `destroy()`. */
  destroyed: number;
  /** Refused, since the queue was full; not counted as processed. */
  queueFull: number;
  /** Anything else: what a reviver, a replacer or a toJSON threw, a stream or file that failed. */
  other: number;
}

/** What a pool counts; times are in milliseconds. */
export class Figures {
  /** Tasks that have settled. */
  tasks = 0;
  /** Calls that were so small that they took no task. */
  direct = 0;
  readonly errors: TaskErrors = {
    syntax: 0,
    limit: 0,
    aborted: 0,
    timeout: 0,
    destroyed: 0,
    queueFull: 0,
    other: 0,
  };
  /** Bytes and units that were read. */
  parsed = 0;
  /** Bytes and units that were written. */
  written = 0;
  /** Waits of tasks for their turn. */
  readonly waits = new Histogram();
  /** From a task's turn to its result. */
  readonly durations = new Histogram();
  /** Of some of the direct calls. */
  readonly directDurations = new Histogram();
  readonly nativeTime = new Histogram();
  readonly mainTime = new Histogram();

  get processed(): number {
    return this.tasks + this.direct;
  }

  /** Those processed that failed. */
  get failed(): number {
    const { aborted, destroyed, limit, other, syntax, timeout } = this.errors;
    return aborted + destroyed + limit + other + syntax + timeout;
  }

  /** From a call's turn to its result, on average over tasks and direct calls. */
  get meanDuration(): number {
    const { durations, directDurations, direct } = this;
    const count = durations.count + direct;
    return count === 0 ? 0 : (durations.mean * durations.count + directDurations.mean * direct) / count;
  }
}

/** Under what a failure is counted. */
export function causeOf(error: unknown): keyof TaskErrors {
  try {
    if (error instanceof DestroyedError) return 'destroyed';
    if (error instanceof TimeoutError) return 'timeout';
    if (error instanceof JSONLimitError) return 'limit';
    return error instanceof JSONSyntaxError ? 'syntax' : 'other';
  } catch {
    // A Proxy that refuses to tell its prototype can be thrown too.
    return 'other';
  }
}
