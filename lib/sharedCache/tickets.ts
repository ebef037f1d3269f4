import type { NativeSharedCache } from './native.js';

/** What is told of a ticket. */
export interface Answer {
  readonly kind: number;
  /** Of what kind a value is, or how many entries. */
  readonly number: number;
  readonly value: ReturnType<NativeSharedCache['taken']>;
  readonly message: string;
}

interface Waiter {
  resolve(answer: Answer): void;
  reject(error: Error): void;
}

/** Those who wait for other threads; the process stays alive meanwhile. */
export class Tickets {
  readonly #native: NativeSharedCache;
  readonly #numbers: Float64Array;
  readonly #waiting = new Map<number, Waiter>();

  constructor(native: NativeSharedCache, numbers: Float64Array) {
    this.#native = native;
    this.#numbers = numbers;
  }

  wait(ticket: number): Promise<Answer> {
    if (this.#waiting.size === 0) this.#native.hold(1);
    return new Promise((resolve, reject) => this.#waiting.set(ticket, { resolve, reject }));
  }

  /** Takes what there is to tell. */
  take(): void {
    for (let kind = this.#native.take(); kind !== 0; kind = this.#native.take()) {
      const ticket = this.#numbers[0]!;
      const waiter = this.#waiting.get(ticket);
      const value = this.#native.taken();
      // Where there is a value, its kind is there only now.
      const number = this.#numbers[1]!;
      const answer = { kind, number, value, message: this.#native.message() };
      this.#waiting.delete(ticket);
      waiter?.resolve(answer);
    }
    if (this.#waiting.size === 0) this.#native.hold(0);
  }

  /** Nothing is told any more. */
  close(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
