import { JSONLimitError, JSONSyntaxError, KeelsonError } from '../errors.js';
import { Builder } from './builder.js';
import type { Input } from './input.js';
import type { Jobs, Limits } from './jobs.js';
import { HEAD, STEP } from './native.js';
import { type Priority, schedule, unschedule, type Work } from './scheduler.js';
import { compiledShape } from './shapes/cache.js';
import { type CompiledShape, decodeGroup } from './shapes/group.js';
import { LONGEST_STRING } from './stringify/options.js';

/** Who is told what becomes of a {@link Construction}: a task, or more. Nothing is told after `succeed` or `fail`. */
export interface Receiver {
  succeed(result: unknown): void;
  fail(error: unknown): void;
  /** Where lines are read: values came in. Returns whether to go on now; if not, `resume()` does. */
  values?(values: unknown[]): boolean;
  badLine?(error: JSONSyntaxError | JSONLimitError): void;
}

/** A native job and the main thread's part of it: pushes its text, and builds what comes of it. */
export class Construction implements Work {
  /** Milliseconds of the main thread; the scheduler counts them. */
  spent = 0;
  readonly #builder = new Builder();
  readonly #shapes: CompiledShape[] = [];
  #room: boolean;
  #paused = false;
  #held = false;
  #over = false;

  constructor(
    readonly jobs: Jobs,
    readonly job: number,
    readonly priority: Priority,
    readonly input: Input | undefined,
    readonly limits: Limits,
    readonly receiver: Receiver,
  ) {
    this.#room = input !== undefined;
    this.#hold();
    schedule(this);
  }

  /** There is something to take, or to push, or room for it. */
  wake(): void {
    if (this.#paused || this.#over) return;
    this.#hold();
    schedule(this);
  }

  /** Goes on after `values` returned false. */
  resume(): void {
    this.#paused = false;
    this.wake();
  }

  /** Stops, and drops what is left to do. The receiver is told nothing any more. */
  stop(): void {
    if (this.#over) return;
    this.#over = true;
    unschedule(this);
    this.jobs.release(this);
    this.#letGo();
  }

  /** Keeps the process alive. */
  #hold(): void {
    if (this.#held) return;
    this.#held = true;
    this.jobs.hold();
  }

  /** Lets the process end: what this waits for either keeps it alive itself, or may never come. */
  #letGo(): void {
    if (!this.#held) return;
    this.#held = false;
    this.jobs.letGo();
  }

  step(): boolean {
    try {
      if (this.#room) this.#room = this.input!.push(this.jobs.native, this.job);
      const step = this.jobs.native.take(this.job);
      if (step !== STEP.nothing) return this.#take(step);
      // First, since a thread may come to rest between the two: one that rests stays as hungry as it is.
      const isIdle = this.jobs.native.isIdle(this.job);
      this.#room ||= this.input?.pending === true && this.jobs.native.isHungry(this.job);
      if (this.#room) return true;
      // Then only the source of the input can bring this on.
      if (isIdle) this.#letGo();
      else this.jobs.await(this);
      return false;
    } catch (error) {
      this.#fail(error);
      return false;
    }
  }

  #take(step: number): boolean {
    const builder = this.#builder;
    const { native, memory } = this.jobs;
    switch (step) {
      case STEP.open: {
        const names = native.text();
        builder.open(memory.ints, memory.head[HEAD.count]!, names === '' ? [] : JSON.parse(names));
        return true;
      }
      case STEP.close:
        builder.close(memory.head[HEAD.count]!);
        break;
      case STEP.shape:
        this.#shapes.push(compiledShape(native.text()));
        return true;
      case STEP.compiledInArray:
        this.#decode(builder.array, false);
        break;
      case STEP.compiledInObject: {
        const values: unknown[] = [];
        const names = this.#decode(values, true);
        builder.assign(names, values);
        break;
      }
      case STEP.textInArray:
        builder.append(JSON.parse(native.text()) as unknown[]);
        break;
      case STEP.textInObject:
        builder.merge(JSON.parse(native.text()) as Record<string, unknown>);
        break;
      case STEP.badLine:
        this.receiver.badLine!(faultError(this.jobs, this.limits));
        return true;
      default:
        return this.#end(step);
    }
    return this.#handOver();
  }

  /** Appends a group to `out`, and returns its raw values, of which the first are the names of members. */
  #decode(out: unknown[], named: boolean): readonly unknown[] {
    const { native, memory, streams } = this.jobs;
    const raw = native.raw();
    streams.raw = raw === '' ? [] : (JSON.parse(raw) as unknown[]);
    streams.text = native.text();
    decodeGroup(memory.head[HEAD.count]!, this.#shapes, streams, out, named);
    return streams.raw;
  }

  /** Gives away the lines that are complete. */
  #handOver(): boolean {
    if (this.receiver.values === undefined || !this.#builder.atRoot) return true;
    const values = this.#builder.drain();
    if (values.length === 0) return true;
    this.#paused = !this.receiver.values(values);
    if (this.#paused) this.#letGo();
    return !this.#paused;
  }

  #end(step: number): false {
    const { native } = this.jobs;
    switch (step) {
      case STEP.document:
        this.#succeed(native.document());
        break;
      case STEP.done:
        this.#succeed(this.#builder.root[0]);
        break;
      case STEP.fault:
        this.#fail(faultError(this.jobs, this.limits));
        break;
      case STEP.damaged:
        this.#fail(
          new KeelsonError(
            'ERR_KEELSON_JSON_COMPRESSION',
            `The compressed input is damaged: ${native.text()}`,
          ),
        );
        break;
      default:
        this.#fail(
          new KeelsonError(
            'ERR_KEELSON_INTERNAL',
            `keelson hit a bug: ${native.text()}. Please report it with the steps that lead here.`,
          ),
        );
    }
    return false;
  }

  #succeed(result: unknown): void {
    this.stop();
    this.receiver.succeed(result);
  }

  #fail(error: unknown): void {
    this.stop();
    this.receiver.fail(error);
  }
}

/** Kinds of faults by their numbers, see src/json.rs: what was exceeded, undefined for text that is not JSON. */
const EXCEEDED = [undefined, 'maxBytes', 'maxDepth', 'maxKeys', 'maxStringLength', 'maxLineBytes'] as const;

/** The error of the fault taken last. */
export function faultError(
  { native, memory: { head } }: Jobs,
  limits: Limits,
): JSONSyntaxError | JSONLimitError {
  const message = native.text();
  const place = {
    position: head[HEAD.position]!,
    line: head[HEAD.line]!,
    column: head[HEAD.column]!,
    excerpt: native.raw(),
  };
  const limit = EXCEEDED[head[HEAD.kind]!];
  if (limit === undefined) return new JSONSyntaxError(message, place);
  const maximum = limit === 'maxStringLength' ? LONGEST_STRING : limits[limit];
  return new JSONLimitError(limit, maximum, message, place);
}
