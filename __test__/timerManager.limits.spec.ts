import { KeelsonError, TimerManager, type TimerManagerOptions } from 'keelson';

let timers: TimerManager;
const make = (options?: TimerManagerOptions): TimerManager => {
  timers = new TimerManager(options);
  return timers;
};
beforeEach(() => {
  jest.useFakeTimers();
  make();
});
afterEach(() => {
  timers.destroy();
  jest.useRealTimers();
});

const noop = (): void => {};

describe('the limit', () => {
  const fill = (count: number): NodeJS.Timeout[] =>
    Array.from({ length: count }, () => timers.setTimeout(noop, 1_000));

  test('warns once a crossing, announces each crossing, and makes the timers all the same', () => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(noop);
    const events: unknown[] = [];
    make({ maxTimers: 10 });
    timers.on('pressure', (event) => events.push(['pressure', event]));
    timers.on('limit', (event) => events.push(['limit', event]));
    const handles = fill(15);
    expect(events).toEqual([
      ['pressure', { timers: 8, max: 10 }],
      ['limit', { timers: 11, max: 10 }],
    ]);
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn).toHaveBeenCalledWith(
      expect.stringContaining('11 timers are pending'),
      expect.objectContaining({ code: 'KEELSON_TIMER_LIMIT' }),
    );
    // Back to just under the limit and over it: an event, but no flood of warnings.
    handles.splice(9).forEach((handle) => void handle.close());
    handles.push(...fill(2));
    expect(events).toHaveLength(3);
    expect(warn).toHaveBeenCalledTimes(1);
    handles.forEach((handle) => void handle.close());
    fill(11);
    expect(warn).toHaveBeenCalledTimes(2);
    expect(timers.metrics()).toMatchObject({ limitCrossed: 3, pressureCrossed: 2 });
    warn.mockRestore();
  });

  test('throws by choice, and then adds nothing', () => {
    make({ maxTimers: 2, onLimit: 'throw' });
    fill(2);
    for (const add of [() => fill(1), () => timers.setInterval(noop, 1), () => timers.every(noop, 1)]) {
      expect(add).toThrow(expect.objectContaining({ code: 'ERR_KEELSON_TIMER_LIMIT' }));
      expect(add).toThrow(KeelsonError);
    }
    expect(timers.getStats()).toEqual({ timeouts: 2, intervals: 0, total: 2 });
  });

  test('evicts the oldest by choice', () => {
    make({ maxTimers: 2, onLimit: 'evict-oldest' });
    const calls: string[] = [];
    timers.setInterval(() => calls.push('interval'), 10);
    timers.setTimeout(() => calls.push('first'), 10);
    timers.setTimeout(() => calls.push('second'), 10);
    timers.schedule(() => calls.push('third'), 10);
    expect(timers.metrics()).toMatchObject({ evicted: 2, timeouts: 2, intervals: 0 });
    jest.advanceTimersByTime(20);
    expect(calls).toEqual(['second', 'third']);
  });

  test.each(['throw', 'evict-oldest'] as const)('is announced once, not once a timer, with %s', (onLimit) => {
    make({ maxTimers: 3, onLimit });
    const limit = jest.fn();
    timers.on('limit', limit);
    const add = (): void => {
      try {
        fill(1);
      } catch {
        // As asked for.
      }
    };
    for (let count = 0; count < 10; count++) add();
    expect(limit).toHaveBeenCalledTimes(1);
    expect(limit).toHaveBeenCalledWith({ timers: 4, max: 3 });
    jest.advanceTimersByTime(1_000);
    for (let count = 0; count < 10; count++) add();
    expect(limit).toHaveBeenCalledTimes(2);
  });

  test('a listener may set timers itself', () => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(noop);
    make({ maxTimers: 10 });
    const events: string[] = [];
    for (const event of ['pressure', 'limit'] as const) {
      timers.on(event, () => {
        events.push(event);
        timers.setTimeout(noop, 10);
      });
    }
    fill(20);
    warn.mockRestore();
    expect(events).toEqual(['pressure', 'limit']);
    expect(timers.getStats().total).toBe(22);
  });

  test('holds for timers that refresh() starts again', () => {
    make({ maxTimers: 2, onLimit: 'throw' });
    const [first] = fill(1);
    jest.advanceTimersByTime(1_000);
    fill(2);
    expect(() => first!.refresh()).toThrow(expect.objectContaining({ code: 'ERR_KEELSON_TIMER_LIMIT' }));
    expect(timers.getStats().total).toBe(2);
  });

  test('an aborted signal evicts nobody', () => {
    make({ maxTimers: 1, onLimit: 'evict-oldest' });
    fill(1);
    timers.schedule(noop, 10, { signal: AbortSignal.abort() });
    expect(timers.metrics()).toMatchObject({ evicted: 0, timeouts: 1 });
  });

  test('is 1,000 by default', () => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(noop);
    fill(1_000);
    expect(warn).not.toHaveBeenCalled();
    fill(1);
    expect(warn).toHaveBeenCalledTimes(1);
    warn.mockRestore();
  });

  test('a listener that throws reaches uncaughtException, and not setTimeout', () => {
    const ticks = jest.spyOn(process, 'nextTick').mockImplementation(noop);
    make({ maxTimers: 1, onLimit: 'evict-oldest' });
    timers.on('pressure', () => {
      throw new Error('listener');
    });
    timers.setTimeout(noop, 10);
    const [[rethrow]] = ticks.mock.calls as unknown as [[() => void]];
    ticks.mockRestore();
    expect(rethrow).toThrow('listener');
    expect(timers.getStats().total).toBe(1);
  });
});

describe('a stale interval', () => {
  test('is reported once, listed, and left running', () => {
    make({ maxLifetime: 50 });
    const stale = jest.fn();
    timers.on('stale', stale);
    timers.every(noop, 20, { label: 'poll', group: 'g' });
    jest.advanceTimersByTime(40);
    expect(stale).not.toHaveBeenCalled();
    jest.advanceTimersByTime(100);
    expect(stale).toHaveBeenCalledTimes(1);
    expect(stale).toHaveBeenCalledWith(
      expect.objectContaining({ kind: 'interval', label: 'poll', group: 'g', age: 60, cleared: false }),
    );
    expect(timers.list()).toMatchObject([{ kind: 'interval', label: 'poll', stale: true, age: 140 }]);
    expect(timers.metrics().stale).toBe(1);
  });

  test('is cleared by choice, and a refresh gives it another life', () => {
    make({ maxLifetime: 50, onStale: 'clear' });
    const handle = timers.setInterval(noop, 20);
    jest.advanceTimersByTime(50);
    handle.refresh();
    jest.advanceTimersByTime(50);
    expect(timers.getStats().intervals).toBe(1);
    jest.advanceTimersByTime(20);
    expect(timers.getStats().intervals).toBe(0);
    expect(timers.metrics()).toMatchObject({ stale: 1, cleared: 0 });
  });

  test('may have a lifetime of its own', () => {
    make({ onStale: 'clear' });
    timers.every(noop, 10, { maxLifetime: 25 });
    timers.every(noop, 10, { maxLifetime: Number.POSITIVE_INFINITY });
    jest.advanceTimersByTime(1_000);
    expect(timers.getStats().intervals).toBe(1);
  });
});

test('list finds what is stale between the ticks, overdue timeouts too, and announces each once', () => {
  jest.useRealTimers();
  make({ maxLifetime: 5 });
  const stale = jest.fn();
  timers.on('stale', stale);
  timers.every(noop, 60_000, { label: 'seldom' });
  timers.setTimeout(noop, 1);
  for (const until = performance.now() + 20; performance.now() < until; );
  expect(timers.list().map((info) => info.stale)).toEqual([true, true]);
  timers.list();
  expect(stale.mock.calls.map(([event]) => event.kind)).toEqual(['interval', 'timeout']);
  expect(timers.metrics().stale).toBe(2);
});
