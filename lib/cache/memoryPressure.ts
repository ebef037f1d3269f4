import { containerUse, heapUse, type Use } from '../systemMemory.js';
import { callable, integer, number, options } from '../validate.js';

/** When and how far a cache gives way. Nothing is checked on a timer: only insertions check. */
export interface MemoryPressureOptions {
  /** Share of V8's heap limit in use from which the cache shrinks, above 0 and up to 1. @default 0.85 */
  heap?: number;
  /** The same for the memory limit of the container (cgroup), where there is one. @default 0.9 */
  container?: number;
  /** Insertions from one check to the next. @default 1000 */
  every?: number;
  /** Share of the entries that survives a shrink, from 0 and below 1. @default 0.5 */
  keep?: number;
  /** Replaces both measurements: whether memory is short. */
  isShort?: () => boolean;
}

const NAMES = ['heap', 'container', 'every', 'keep', 'isShort'] as const;
/** Checks left out after a shrink: garbage is still counted as used until it is collected. */
const PATIENCE = 8;

function share(use: Use | undefined): number {
  return use === undefined ? 0 : use.used / use.limit;
}

/** Says after how many insertions, and to which share, a cache has to shrink. */
export class MemoryPressure {
  readonly keep: number;
  readonly #every: number;
  readonly #isShort: () => boolean;
  #left: number;

  constructor(given: true | MemoryPressureOptions) {
    const chosen = given === true ? {} : options<MemoryPressureOptions>('memoryPressure', given, NAMES);
    const { heap = 0.85, container = 0.9, every = 1000, keep = 0.5, isShort } = chosen;
    number('memoryPressure.heap', heap, 0.01, 1);
    number('memoryPressure.container', container, 0.01, 1);
    this.keep = number('memoryPressure.keep', keep, 0, 0.99);
    this.#every = integer('memoryPressure.every', every, 1);
    this.#left = every;
    this.#isShort =
      isShort === undefined
        ? () => share(heapUse()) > heap || share(containerUse()) > container
        : callable('memoryPressure.isShort', isShort);
  }

  /** Counts one insertion; true when the cache has to shrink now. */
  inserted(): boolean {
    if (--this.#left > 0) return false;
    const short = this.#isShort();
    this.#left = short ? this.#every * PATIENCE : this.#every;
    return short;
  }
}
