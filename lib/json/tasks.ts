import type { AsyncResource } from 'node:async_hooks';
import { type DestroyedError, QueueFullError, TimeoutError } from '../errors.js';
import { spans } from '../openTelemetry/spans.js';
import { unwatch, watch } from '../signals.js';
import { capture, noContext } from '../timer/context.js';
import { causeOf, type Figures } from './figures.js';
import { now, type Priority } from './scheduler.js';

/** What of a call may stop it, and when it is its turn. */
export interface TaskOptions {
  /** Which of the waiting tasks goes first, and what of the main thread's share it gets. @default 'normal' */
  priority?: Priority | undefined;
  /** Stops the task, which then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** Milliseconds from the call to its result, waiting included, 1 to 2^31 - 1; beyond them it stops. @default none */
  timeout?: number | undefined;
}

/** What a task does. */
export type Operation = 'parse' | 'stringify' | 'ndjson' | 'document';

/** A call on its way through the pool. */
export class Task {
  readonly promise: Promise<unknown>;
  readonly created = now();
  started = 0;
  /** Stops what `start` began; called once at most, and only while it runs. */
  stop: (() => void) | undefined;
  /** Not undefined until it starts or settles. */
  start: ((task: Task) => void) | undefined;
  /** The asynchronous context of the call, where that has to wait for its turn. */
  scope: AsyncResource | undefined;
  settled = false;
  /** Whether it goes on as fast as its caller asks it to, who may never do so again. */
  paced = false;
  readonly #tasks: Tasks;
  readonly #resolve: (value: unknown) => void;
  readonly #reject: (error: unknown) => void;
  #timer: NodeJS.Timeout | undefined;
  #signal: AbortSignal | undefined;

  constructor(
    tasks: Tasks,
    readonly priority: Priority,
    /** Whether it takes one of the pool's places. */
    readonly placed: boolean,
    start: (task: Task) => void,
  ) {
    this.#tasks = tasks;
    this.start = start;
    let resolve!: (value: unknown) => void;
    let reject!: (error: unknown) => void;
    this.promise = new Promise((yes, no) => {
      resolve = yes;
      reject = no;
    });
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** Lets `options` end it. */
  watch({ signal, timeout }: TaskOptions): void {
    if (signal !== undefined) {
      this.#signal = signal;
      watch(signal, this);
    }
    if (timeout !== undefined) {
      this.#timer = setTimeout(() => this.cancel(new TimeoutError('The call', timeout)), timeout);
    }
  }

  /** What its pool counts. */
  get figures(): Figures {
    return this.#tasks.figures;
  }

  /** Whether its signal ended it, or would have. */
  get aborted(): boolean {
    return this.#signal?.aborted ?? false;
  }

  /** Ends it from outside. */
  cancel(error: unknown): void {
    if (this.settled) return;
    const { stop } = this;
    this.fail(error);
    stop?.();
  }

  /** Ends it from outside, well: nobody wants what is left. */
  leave(): void {
    if (this.settled) return;
    const { stop } = this;
    this.succeed(undefined);
    stop?.();
  }

  succeed(value: unknown): void {
    if (this.settled) return;
    this.settled = true;
    this.#resolve(value);
    this.#end(undefined);
  }

  fail(error: unknown): void {
    if (this.settled) return;
    this.settled = true;
    this.#reject(error);
    this.#end({ error });
  }

  /** Does the books: the caller has its answer, whatever comes of this. */
  #end(failure: { error: unknown } | undefined): void {
    this.start = undefined;
    this.stop = undefined;
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    this.#tasks.settled(this, failure);
    if (this.#signal !== undefined) unwatch(this.#signal, this);
  }
}

/** Tasks that wait for one of a number of places, those of the highest priority first, equals in their order. */
export class Tasks {
  readonly #queues: Record<Priority, Set<Task>> = { high: new Set(), normal: new Set(), low: new Set() };
  readonly #running = new Set<Task>();
  #placed = 0;
  #advancing = false;
  #closed: DestroyedError | undefined;

  constructor(
    readonly figures: Figures,
    readonly places: number,
    readonly maxQueue: number,
    readonly onFull: 'reject' | 'wait',
  ) {}

  /** Tasks that wait for a place. */
  get queued(): number {
    const { high, normal, low } = this.#queues;
    return high.size + normal.size + low.size;
  }

  /** Tasks that were started and have not settled. */
  get active(): number {
    return this.#running.size;
  }

  /** Throws why a call cannot begin: all is over, or its signal has aborted. Such a call is not counted. */
  admit({ signal }: TaskOptions): void {
    if (this.#closed !== undefined) throw this.#closed;
    if (signal?.aborted) throw signal.reason;
  }

  /**
   * Starts a task as soon as it has a place, at once if there is one.
   * @param operation what it is called in spans
   * @param placed false: it takes no place, since it waits for others most of the time
   */
  submit<T>(
    operation: Operation,
    options: TaskOptions,
    start: (task: Task) => void,
    placed = true,
  ): Promise<T> {
    if (spans === undefined) return this.#submit(options, start, placed);
    return spans.task(operation, options.priority ?? 'normal', () => this.#submit(options, start, placed));
  }

  #submit<T>(options: TaskOptions, start: (task: Task) => void, placed: boolean): Promise<T> {
    try {
      this.admit(options);
    } catch (error) {
      return Promise.reject(error);
    }
    // Those that wait go first, even where a place has just become free.
    const full = placed && (this.#placed >= this.places || this.queued > 0);
    if (full && this.onFull === 'reject' && this.queued >= this.maxQueue) {
      this.figures.errors.queueFull++;
      return Promise.reject(new QueueFullError(this.maxQueue));
    }
    const task = new Task(this, options.priority ?? 'normal', placed, start);
    task.watch(options);
    if (full) {
      task.scope = capture() ?? noContext;
      this.#queues[task.priority].add(task);
    } else {
      this.#begin(task);
    }
    return task.promise as Promise<T>;
  }

  #begin(task: Task): void {
    task.started = now();
    this.figures.waits.record(task.started - task.created);
    this.#running.add(task);
    if (task.placed) this.#placed++;
    const start = task.start!;
    task.start = undefined;
    try {
      if (task.scope === undefined) start(task);
      else task.scope.runInAsyncScope(start, undefined, task);
    } catch (error) {
      task.cancel(error);
    }
  }

  /** Called by a task, once. */
  settled(task: Task, failure: { error: unknown } | undefined): void {
    const { figures } = this;
    figures.tasks++;
    if (failure !== undefined) figures.errors[task.aborted ? 'aborted' : causeOf(failure.error)]++;
    if (!this.#running.delete(task)) {
      this.#queues[task.priority].delete(task);
      return;
    }
    figures.durations.record(now() - task.started);
    if (!task.placed) return;
    this.#placed--;
    this.#next();
  }

  #next(): void {
    // One that fails while it starts leads here again: a thousand of those must not nest.
    if (this.#advancing) return;
    this.#advancing = true;
    while (this.#placed < this.places) {
      const task = this.#first();
      if (task === undefined) break;
      this.#queues[task.priority].delete(task);
      this.#begin(task);
    }
    this.#advancing = false;
  }

  #first(): Task | undefined {
    const { high, normal, low } = this.#queues;
    for (const queue of [high, normal, low]) {
      for (const task of queue) return task;
    }
    return undefined;
  }

  /** Resolves once all that was submitted before has settled, but for what its callers pace. */
  async flush(): Promise<void> {
    const { high, normal, low } = this.#queues;
    const tasks = [...this.#running, ...high, ...normal, ...low];
    await Promise.allSettled(tasks.filter((task) => !task.paced).map((task) => task.promise));
  }

  /** Fails all that is pending, and whatever comes after, with `error`. */
  close(error: DestroyedError): void {
    this.#closed = error;
    const { high, normal, low } = this.#queues;
    for (const task of [...high, ...normal, ...low, ...this.#running]) task.cancel(error);
  }

  get closed(): DestroyedError | undefined {
    return this.#closed;
  }
}
