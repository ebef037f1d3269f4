import fc from 'fast-check';
import { TimerManager } from 'keelson';

/** jest's fake timers, on which a manager's timers must do what the global ones do. */
interface Timers {
  setTimeout(callback: () => void, ms: number): NodeJS.Timeout;
  setInterval(callback: () => void, ms: number): NodeJS.Timeout;
  clearTimeout(handle: NodeJS.Timeout | undefined): void;
}

type Step =
  | { op: 'timeout' | 'interval'; ms: number }
  | { op: 'clear' | 'globalClear' | 'refresh'; index: number }
  | { op: 'advance'; ms: number };

const index = fc.nat(30);
const ms = fc.integer({ min: 1, max: 50 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ op: fc.constantFrom('timeout' as const, 'interval' as const), ms }),
  fc.record({ op: fc.constantFrom('clear' as const, 'globalClear' as const, 'refresh' as const), index }),
  fc.record({ op: fc.constant('advance' as const), ms }),
);

function run(steps: Step[], timers: Timers): string[] {
  jest.useFakeTimers();
  const log: string[] = [];
  const handles: NodeJS.Timeout[] = [];
  const cleared = new Set<number>();
  const from = Date.now();
  for (const entry of steps) {
    if (entry.op === 'advance') jest.advanceTimersByTime(entry.ms);
    else if ('ms' in entry) {
      const id = handles.length;
      const make = entry.op === 'timeout' ? timers.setTimeout : timers.setInterval;
      handles.push(make(() => log.push(`${id} at ${Date.now() - from}`), entry.ms));
    } else if (entry.op === 'refresh') {
      // Fake timers wake a cleared timer up again, which Node does not.
      if (!cleared.has(entry.index)) handles[entry.index]?.refresh();
    } else {
      cleared.add(entry.index);
      (entry.op === 'clear' ? timers.clearTimeout : clearTimeout)(handles[entry.index]);
    }
  }
  jest.useRealTimers();
  return log;
}

test.each([{ doNotFake: ['performance' as const] }, { legacyFakeTimers: true as const }])(
  'intervals run on clocks that stand in for timers only: %p',
  (options) => {
    jest.useFakeTimers(options as never);
    const manager = new TimerManager();
    const callback = jest.fn();
    manager.setInterval(callback, 10);
    jest.advanceTimersByTime(1_000);
    manager.destroy();
    jest.useRealTimers();
    expect(callback).toHaveBeenCalledTimes(100);
  },
);

test('under fake timers a manager does what the global functions do', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const manager = new TimerManager();
      const ours = run(steps, {
        setTimeout: (callback, ms) => manager.setTimeout(callback, ms),
        setInterval: (callback, ms) => manager.setInterval(callback, ms),
        clearTimeout: (handle) => manager.clearTimeout(handle),
      });
      const theirs = run(steps, {
        setTimeout: (callback, ms) => setTimeout(callback, ms),
        setInterval: (callback, ms) => setInterval(callback, ms),
        clearTimeout: (handle) => clearTimeout(handle),
      });
      manager.destroy();
      expect(ours).toEqual(theirs);
    }),
    { numRuns: 300 },
  );
});

describe('fake timers', () => {
  let manager: TimerManager;
  beforeEach(() => {
    jest.useFakeTimers();
    manager = new TimerManager();
  });
  afterEach(() => {
    manager.destroy();
    jest.useRealTimers();
  });

  test("count, run and clear a manager's timers as any others", async () => {
    const callback = jest.fn();
    manager.setTimeout(callback, 100);
    manager.setInterval(callback, 1_000).unref();
    expect(jest.getTimerCount()).toBe(2);
    jest.advanceTimersToNextTimer();
    expect(callback).toHaveBeenCalledTimes(1);
    jest.runOnlyPendingTimers();
    expect(callback).toHaveBeenCalledTimes(2);
    await jest.advanceTimersByTimeAsync(2_000);
    expect(callback).toHaveBeenCalledTimes(4);
    jest.clearAllTimers();
    manager.setTimeout(callback, 10);
    jest.runOnlyPendingTimers();
    expect(callback).toHaveBeenCalledTimes(5);
    manager.destroy();
    expect(jest.getTimerCount()).toBe(0);
  });

  test('an error of a callback comes out of the advance', () => {
    manager.setTimeout(() => {
      throw new Error('callback');
    }, 10);
    expect(() => jest.advanceTimersByTime(10)).toThrow('callback');
    expect(manager.getStats().total).toBe(0);
    expect(manager.metrics().failed).toBe(1);
  });

  test('put in place in the middle leave real timers on real time', async () => {
    jest.useRealTimers();
    const real = new Promise<void>((resolve) => void manager.setTimeout(resolve, 5));
    jest.useFakeTimers();
    const fake = jest.fn();
    manager.setTimeout(fake, 5);
    await real;
    expect(fake).not.toHaveBeenCalled();
    jest.advanceTimersByTime(5);
    expect(fake).toHaveBeenCalledTimes(1);
    jest.useRealTimers();
    await new Promise<void>((resolve) => void manager.setTimeout(resolve, 1));
    expect(manager.getStats().total).toBe(0);
  });
});
