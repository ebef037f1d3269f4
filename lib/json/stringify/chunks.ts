import { Buffer } from 'node:buffer';
import type { Task } from '../tasks.js';
import type { Texts } from './texts.js';

/** Begins the task of an iteration, and tells its result; `start` is called at once, or not at all. */
type Begin = (start: (task: Task) => void) => Promise<unknown>;

/** A JSON text in Buffers, made as they are asked for: a task from the first of them to the last. */
export class Chunks implements AsyncIterableIterator<Buffer> {
  readonly #texts: Texts;
  readonly #begin: Begin;
  #task: Task | undefined;
  #result: Promise<unknown> | undefined;

  constructor(texts: Texts, begin: Begin) {
    this.#texts = texts;
    this.#begin = begin;
  }

  async next(): Promise<IteratorResult<Buffer, undefined>> {
    this.#result ??= this.#start();
    try {
      const text = await this.#texts.take();
      if (text !== undefined) {
        const value = Buffer.from(text);
        if (this.#task !== undefined) this.#task.figures.written += value.length;
        return { done: false, value };
      }
    } catch (error) {
      this.#task?.fail(error);
    }
    this.#end(true);
    // What went wrong is told once.
    const result = this.#result;
    this.#result = Promise.resolve();
    await result;
    return { done: true, value: undefined };
  }

  #start(): Promise<unknown> {
    const result = this.#begin((task) => {
      this.#task = task;
      task.paced = true;
      task.stop = () => this.#end(false);
    });
    // A call that waits hears of it, or the next one.
    result.catch(() => {});
    if (this.#task === undefined) this.#texts.end();
    return result;
  }

  /** @param well whether nothing ended it from outside */
  #end(well: boolean): void {
    this.#texts.end();
    const task = this.#task;
    if (task === undefined) return;
    this.#task = undefined;
    task.figures.mainTime.record(this.#texts.spent);
    if (well) task.succeed(undefined);
  }

  async return(): Promise<IteratorResult<Buffer, undefined>> {
    this.#result ??= Promise.resolve();
    this.#end(true);
    return { done: true, value: undefined };
  }

  async throw(error: unknown): Promise<IteratorResult<Buffer, undefined>> {
    await this.return();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
