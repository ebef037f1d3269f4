import { KeelsonError } from '../errors.js';
import { binding } from '../native.js';
import type { Construction } from './construction.js';
import type { Figures } from './figures.js';
import { FLAG, GROUP_BYTES, type NativePool, type StepMemory, stepMemory } from './native.js';
import { PRIORITIES, type Priority } from './scheduler.js';
import { canGenerate } from './shapes/generate.js';
import { type GroupStreams, groupStreams } from './shapes/group.js';

/** Bounds of a document; Infinity is none. */
export interface Limits {
  readonly maxBytes: number;
  readonly maxDepth: number;
  readonly maxKeys: number;
  /** Of one line, where lines are read. */
  readonly maxLineBytes: number;
}

export const NO_LIMITS: Limits = {
  maxBytes: Number.POSITIVE_INFINITY,
  maxDepth: Number.POSITIVE_INFINITY,
  maxKeys: Number.POSITIVE_INFINITY,
  maxLineBytes: Number.POSITIVE_INFINITY,
};

/** How values are built: 'auto' may generate code for records of one shape, 'sliced' calls JSON.parse alone. */
export type Mode = 'auto' | 'sliced';

/** Whoever waits for a thread. */
interface Waiting {
  wake(): void;
}

/** The native side of a pool: its threads, and its jobs' way back to the main thread. */
export class Jobs {
  readonly native: NativePool;
  readonly memory: StepMemory = stepMemory();
  readonly streams: GroupStreams = groupStreams(this.memory.ints, this.memory.doubles);
  /** Those that wait for a thread. Native code holds this set, and therefore nothing else of the pool. */
  readonly #waiting: Set<Waiting>;
  #held = 0;

  constructor(
    threads: number,
    readonly figures: Figures,
  ) {
    const waiting = new Set<Waiting>();
    this.#waiting = waiting;
    const { head, ints, doubles } = this.memory;
    try {
      this.native = binding.createJsonPool(threads, () => wakeAll(waiting), [head, ints, doubles]);
    } catch (error) {
      if (!`${(error as Error).message}`.includes('no thread could start')) throw error;
      throw new KeelsonError(
        'ERR_KEELSON_NO_THREADS',
        `The system gives no ${threads} threads more: set a lower "maxWorkers", share one pool, destroy() those that are not used, or raise the limit of processes (ulimit -u, pids of the container)`,
        { cause: error },
      );
    }
  }

  /** Starts a job for which nothing was pushed yet. */
  open(goal: number, priority: Priority, flags: number, limits: Limits, groupBytes = GROUP_BYTES): number {
    const { maxBytes, maxDepth, maxKeys, maxLineBytes } = limits;
    const level = PRIORITIES.indexOf(priority);
    return this.native.open(goal, level, flags, maxBytes, maxDepth, maxKeys, groupBytes, maxLineBytes);
  }

  /** Starts a job that builds a part of a document. */
  openPart(document: number, start: number, end: number, priority: Priority = 'normal'): number {
    const level = PRIORITIES.indexOf(priority);
    return this.native.openPart(document, start, end, level, flagsOf('auto'), GROUP_BYTES);
  }

  /** Starts a job that builds an array of what `pattern` finds in a document. */
  openColumn(document: number, pattern: string, priority: Priority = 'normal'): number {
    const level = PRIORITIES.indexOf(priority);
    return this.native.openColumn(document, pattern, level, flagsOf('auto'), GROUP_BYTES);
  }

  /** Keeps the process alive, until as many calls of `letGo()`. */
  hold(): void {
    if (this.#held++ === 0) this.native.hold(1);
  }

  letGo(): void {
    if (--this.#held === 0) this.native.hold(0);
  }

  /** Has `construction` woken when there is something for it to do. */
  await(construction: Construction): void {
    this.#waiting.add(construction);
  }

  release(construction: Construction): void {
    this.#waiting.delete(construction);
    const { figures } = this;
    figures.nativeTime.record(this.native.spent(construction.job));
    figures.mainTime.record(construction.spent);
    figures.parsed += construction.input?.pushed ?? 0;
    this.native.drop(construction.job);
    // The last group of a large document is large where that holds a large string.
    this.streams.text = '';
    this.streams.raw = [];
  }

  /** Ends the threads; resolves once they have ended. All jobs must have been released. */
  async close(): Promise<void> {
    this.native.close();
    this.hold();
    while (this.native.threads() > 0) {
      await new Promise<void>((wake) => {
        this.#waiting.add({ wake });
      });
    }
    this.letGo();
  }
}

/** Flags of a job that builds. */
export function flagsOf(mode: Mode): number {
  return mode === 'auto' && canGenerate() ? FLAG.compiled : 0;
}

function wakeAll(waiting: Set<Waiting>): void {
  const all = [...waiting];
  waiting.clear();
  for (const one of all) one.wake();
}
