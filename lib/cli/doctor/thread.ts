import { setTimeout as sleep } from 'node:timers/promises';
import { grows } from './growth.js';
import { callOn, collectGarbage, queryObjects, release } from './heap.js';
import { type HiddenTimers, hiddenTimers } from './hidden.js';
import type { DoctorOptions } from './options.js';
import { pathsOf } from './paths.js';
import { callScript, installScript, takeScript } from './probe/script.js';
import type { Notes, Sample } from './probe/types.js';
import { NoAnswer, type Session } from './session.js';

/** Milliseconds without a sample after which a thread takes everything back by itself. */
const LEASE = 5000;
/** The same while the heap is walked or collected, for which no sample can be taken. */
const HEAP_LEASE = 120_000;

/** Sizes over time, by the number of a collection or of a place that makes timers. */
export type Series = ReadonlyMap<number, readonly number[]>;

/** What was seen of one thread. */
export interface Look {
  thread: string;
  seconds: number;
  collections: Series;
  timers: Series;
  /** Timers that keep the thread alive. */
  active: readonly number[];
  /** Undefined where the thread has ended before it could tell. */
  notes: Notes | undefined;
  /** The collections that grew and are still there after a garbage collection. */
  held: ReadonlySet<number>;
  /** What holds them, as far as that was asked for. */
  paths: ReadonlyMap<number, string>;
  hidden: readonly HiddenTimers[];
  /** Milliseconds of the longest stop that the doctor asked for: a garbage collection, or a walk of the heap. */
  pauseMs: number;
  /** What was not seen, for people. */
  remarks: readonly string[];
}

/** Looks at one thread of the service. */
export class Thread {
  readonly name: string;
  readonly #session: Session;
  readonly #options: DoctorOptions;
  readonly #collections = new Map<number, number[]>();
  readonly #timers = new Map<number, number[]>();
  readonly #active: number[] = [];
  readonly #activeHidden: number[] = [];
  readonly #remarks: string[] = [];
  #began = 0;
  #seconds = 0;
  #pauseMs = 0;

  constructor(session: Session, name: string, options: DoctorOptions) {
    this.#session = session;
    this.name = name;
    this.#options = options;
  }

  /** False where another doctor looks at this thread. */
  async begin(closeInspector: boolean): Promise<boolean> {
    const { minSize, jsonMs, deep } = this.#options;
    const settings = { minSize, jsonMs, leaseMs: LEASE, closeMs: HEAP_LEASE, closeInspector };
    try {
      // Before anything is measured, so that the walks themselves are not.
      const found = deep ? await this.#paused(() => this.#objects()) : [];
      if (!(await this.#session.evaluate<boolean>(installScript(settings)))) return false;
      for (const { id, kind } of found) {
        await this.#paused(() => callOn(this.#session, id, takeScript('watch', kind)));
      }
    } catch (error) {
      this.remark(error);
    } finally {
      if (deep) await release(this.#session).catch(() => {});
    }
    this.#began = performance.now();
    return true;
  }

  async #objects(): Promise<{ id: string; kind: 'array' | 'object' }[]> {
    const session = this.#session;
    return [
      { kind: 'array', id: await queryObjects(session, 'Array.prototype') },
      { kind: 'object', id: await queryObjects(session, 'Object.prototype') },
    ];
  }

  /** Takes samples until told to stop, or until the thread has ended. */
  async watch(stepMs: number, stop: AbortSignal): Promise<void> {
    try {
      while (!stop.aborted) {
        if (!(await this.#sample())) return;
        await sleep(stepMs, undefined, { signal: stop }).catch(() => {});
      }
      await this.#sample();
    } catch (error) {
      this.remark(error);
    }
  }

  async #sample(): Promise<boolean> {
    const sample = await this.#session.evaluate<Sample | undefined>(callScript('sample'));
    if (sample === undefined) {
      this.#remarks.push('was not heard of for so long that it took everything back: it is too busy');
      return false;
    }
    for (const [id, size] of sample.collections) push(this.#collections, id, size);
    for (const [id, live] of sample.timers) push(this.#timers, id, live);
    this.#active.push(sample.active);
    this.#activeHidden.push(sample.active - sample.activeSeen);
    this.#seconds = (performance.now() - this.#began) / 1000;
    return true;
  }

  /** Has the thread take everything back, and resolves to what was seen. */
  async end(): Promise<Look> {
    const { minGrowth, deep } = this.#options;
    let paths: ReadonlyMap<number, string> = new Map();
    let notes: Notes | undefined;
    let hidden: readonly HiddenTimers[] = [];
    const grown = [...this.#collections].filter(([, sizes]) => grows(sizes, minGrowth)).map(([id]) => id);
    let held = grown;
    try {
      notes = await this.#session.evaluate<Notes | undefined>(callScript('finish'));
      if (grows(this.#activeHidden, minGrowth)) hidden = await this.#hiddenTimers();
      if (grown.length > 0) {
        await this.#paused(() => collectGarbage(this.#session));
        held = (await this.#session.evaluate<number[] | undefined>(callScript('held', grown))) ?? grown;
        if (deep && held.length > 0) paths = await this.#paths(held);
      }
      await this.#session.evaluate(callScript('close'));
    } catch (error) {
      this.remark(error);
    }
    return {
      thread: this.name,
      seconds: this.#seconds,
      collections: this.#collections,
      timers: this.#timers,
      active: this.#active,
      notes,
      held: new Set(held),
      paths,
      hidden,
      pauseMs: this.#pauseMs,
      remarks: this.#remarks,
    };
  }

  async #hiddenTimers(): Promise<readonly HiddenTimers[]> {
    try {
      return await this.#paused(() => hiddenTimers(this.#session));
    } catch (error) {
      this.remark(error);
      return [];
    }
  }

  async #paths(held: readonly number[]): Promise<ReadonlyMap<number, string>> {
    const paths = await this.#paused(() => pathsOf(this.#session, held));
    if (paths === undefined)
      this.#remarks.push('has too large a heap for a snapshot, which tells what holds something');
    return paths ?? new Map();
  }

  /** Counts what something takes for which the thread stands still. */
  async #paused<T>(work: () => Promise<T>): Promise<T> {
    const start = performance.now();
    const done = await work();
    this.#pauseMs = Math.max(this.#pauseMs, performance.now() - start);
    return done;
  }

  /** A thread that ends or answers no more is no error of ours. */
  remark(error: unknown): void {
    if (!(error instanceof NoAnswer)) throw error;
    const remark = `was not seen to the end: ${error.message}`;
    if (!this.#remarks.includes(remark)) this.#remarks.push(remark);
  }
}

function push(series: Map<number, number[]>, id: number, value: number): void {
  const values = series.get(id);
  if (values) values.push(value);
  else series.set(id, [value]);
}
