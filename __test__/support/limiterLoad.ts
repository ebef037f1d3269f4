import type { DistributedRateLimiter } from 'keelson';
import { eventually } from './server';

// An answer has some 50 ms, by a clock that goes on while the machine does something else: what fails by that passes when
// it is repeated. The first failure is printed.
jest.retryTimes(2, { logErrorsBeforeRetry: true });

export interface Decision {
  key: string;
  cost: number;
  allowed: boolean;
  source: string;
  /** When it was asked for and when it was there, in milliseconds of performance.now(). */
  began: number;
  ended: number;
}

/** Ends the calling of a test that failed before it did so itself. */
const ends = new Set<() => void>();
afterEach(() => {
  for (const end of ends) end();
  ends.clear();
});

/** Callers that ask a limiter without pause, and what they were told. */
export class Load {
  readonly decisions: Decision[] = [];
  readonly errors: unknown[] = [];
  asked = 0;

  constructor(
    readonly limiter: DistributedRateLimiter,
    readonly keys: readonly string[] = ['key'],
  ) {}

  /** Asks once. */
  async ask(key = this.keys[this.asked % this.keys.length]!, cost = 1): Promise<void> {
    this.asked++;
    const began = performance.now();
    try {
      const { allowed, source } = await this.limiter.check(key, { cost });
      this.decisions.push({ key, cost, allowed, source, began, ended: performance.now() });
    } catch (error) {
      this.errors.push(error);
    }
  }

  /** Lets so many callers ask, each a turn of the event loop after its last answer; what it gives ends that. */
  keepAsking(callers: number): () => Promise<void> {
    let over = false;
    const caller = async () => {
      while (!over) {
        await this.ask();
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    };
    const running = Promise.all(Array.from({ length: callers }, caller));
    const end = () => {
      over = true;
    };
    ends.add(end);
    return async () => {
      end();
      await running;
    };
  }

  /** Resolves once there were so many decisions of a source from now on. */
  async next(count: number, source: string): Promise<void> {
    const wanted = this.from(source).length + count;
    await eventually(() => this.from(source).length >= wanted);
  }

  /** Decisions of a source. */
  from(source: string): Decision[] {
    return this.decisions.filter((decision) => decision.source === source);
  }

  /** Decisions that were asked for after a moment. */
  since(moment: number): Decision[] {
    return this.decisions.filter(({ began }) => began >= moment);
  }

  /** Units that were admitted, of a source if one is given. */
  admitted(source?: string): number {
    const some = source === undefined ? this.decisions : this.from(source);
    return some.reduce((sum, { allowed, cost }) => sum + (allowed ? cost : 0), 0);
  }

  /** The sources of the decisions. */
  get sources(): string[] {
    return [...new Set(this.decisions.map(({ source }) => source))].sort();
  }

  /** Every call was answered, each within so many milliseconds, and none rejected. */
  expectAnswered(limit: number): void {
    expect(this.errors).toEqual([]);
    expect(this.decisions).toHaveLength(this.asked);
    const slowest = this.decisions.reduce((most, { began, ended }) => Math.max(most, ended - began), 0);
    expect(slowest).toBeLessThan(limit);
  }
}
