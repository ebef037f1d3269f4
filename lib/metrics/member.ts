import { clearTimeout, setTimeout } from 'node:timers';
import { isMainThread } from 'node:worker_threads';
import { binding } from '../native.js';
import { type Reader, take, tellAll } from './census.js';
import type { Family } from './family.js';
import type { NativeMetrics } from './native.js';
import { Layout, type MetricFamily } from './points.js';
import { ThreadFigures } from './readers/thread.js';
import { Told } from './told.js';

/** This copy of keelson in this thread, among all of the process. */
class Member {
  readonly #native: NativeMetrics;
  readonly #known = new Map<Family, Set<string>>();
  readonly #thread = new ThreadFigures();
  #layout: Layout | undefined;
  readonly #waiting = new Set<() => void>();
  /** Native code does not hold it. */
  readonly #wake = (): void => {
    if (this.#native.isAsked()) this.publish();
    if (this.#native.missing() > 0) return;
    for (const waiter of this.#waiting) waiter();
  };

  constructor() {
    take(this.#thread, (thread, tell) => thread.tell(tell));
    this.#native = binding.joinMetrics(this.#wake);
  }

  /** Tells native code of this thread's figures. */
  publish(): void {
    const told = new Told(this.#known);
    tellAll(told);
    const { keys, merges, values } = told;
    this.#native.publish(keys.join('\n'), Uint8Array.from(merges), Float64Array.from(values));
  }

  /** Resolves once all other threads have told theirs, or after so many milliseconds. Keeps the process alive until then. */
  async hear(timeout: number): Promise<void> {
    this.#native.ask();
    if (this.#native.missing() === 0) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, timeout);
      this.#waiting.add(done);
    });
  }

  /** All figures of the process as they were told last. */
  read(): MetricFamily[] {
    const keys = this.#native.read();
    const values = new Float64Array(this.#native.count());
    this.#native.take(values);
    if (values.length === 0) return [];
    if (this.#layout?.keys !== keys) this.#layout = new Layout(keys);
    return this.#layout.fill(values);
  }
}

let member: Member | undefined;

/** This thread as one of those that are asked. What native code makes for it is no handle that somebody left open: see below. */
export function join(): Member {
  member ??= new Member();
  return member;
}

let isImporting = false;

/** Makes something while modules are loaded, when nothing of the system is to be taken. */
export function atImport<T>(make: () => T): T {
  isImporting = true;
  try {
    return make();
  } finally {
    isImporting = false;
  }
}

/** Whether what is made now is made while modules are loaded: it asks for nothing then, its defaults included. */
export function isAtImport(): boolean {
  return isImporting;
}

/** Has the metrics tell of an instance, for as long as somebody else holds it. */
export function observe<T extends object>(instance: T, read: Reader<T>): void {
  take(instance, read);
  if (member !== undefined || isImporting) return;
  // In the main thread later, as jest takes what a test calls for has made for something that the test is to close.
  if (isMainThread) void Promise.resolve().then(join);
  else join();
}
