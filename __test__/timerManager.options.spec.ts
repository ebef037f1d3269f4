import { DestroyedError, TimerManager, type TimerManagerOptions } from 'keelson';

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

describe('schedule and every', () => {
  test('run once, and on the grid', () => {
    const once = jest.fn();
    const often = jest.fn();
    timers.schedule(once, 30);
    timers.every(often, 10);
    jest.advanceTimersByTime(100);
    expect(once).toHaveBeenCalledTimes(1);
    expect(often).toHaveBeenCalledTimes(10);
  });

  test('a signal ends the timer, and is let go of when the timer is over', () => {
    const controller = new AbortController();
    const add = jest.spyOn(controller.signal, 'addEventListener');
    const remove = jest.spyOn(controller.signal, 'removeEventListener');
    const callback = jest.fn();
    timers.schedule(callback, 10, { signal: controller.signal });
    jest.advanceTimersByTime(10);
    expect(callback).toHaveBeenCalledTimes(1);
    expect(remove.mock.calls.map((call) => call[1])).toEqual(add.mock.calls.map((call) => call[1]));
    timers.every(callback, 10, { signal: controller.signal });
    controller.abort();
    jest.advanceTimersByTime(100);
    expect(callback).toHaveBeenCalledTimes(1);
    expect(timers.metrics()).toMatchObject({ aborted: 1, timeouts: 0, intervals: 0 });
  });

  test('with an aborted signal nothing starts', () => {
    const callback = jest.fn();
    const handle = timers.schedule(callback, 10, { signal: AbortSignal.abort() });
    expect(timers.getStats().total).toBe(0);
    handle.refresh();
    jest.advanceTimersByTime(100);
    expect(callback).not.toHaveBeenCalled();
  });

  test('a timer whose signal has aborted after it fired stays ended', () => {
    const controller = new AbortController();
    const callback = jest.fn();
    const handle = timers.schedule(callback, 10, { signal: controller.signal });
    jest.advanceTimersByTime(10);
    controller.abort();
    handle.refresh();
    jest.advanceTimersByTime(100);
    expect(callback).toHaveBeenCalledTimes(1);
  });

  test('this is the handle', () => {
    const seen: unknown[] = [];
    const handle = timers.setInterval(function (this: unknown) {
      seen.push(this);
    }, 10);
    jest.advanceTimersByTime(10);
    expect(seen[0]).toBe(handle);
  });

  test('an interval with all the jitter there is loses no tick to it', () => {
    const callback = jest.fn();
    timers.every(callback, 20, { jitter: 1 });
    jest.advanceTimersByTime(2_000);
    expect(timers.metrics().skipped).toBe(0);
    expect(callback.mock.calls.length).toBeGreaterThanOrEqual(98);
  });

  test('delays beyond 2^31 - 1 ms are kept, and end', () => {
    const callback = jest.fn();
    timers.schedule(callback, 2 ** 32 + 5);
    jest.advanceTimersByTime(2 ** 32 + 4);
    expect(callback).not.toHaveBeenCalled();
    jest.advanceTimersByTime(1);
    expect(callback).toHaveBeenCalledTimes(1);
  });

  test('jitter adds at most its share, takes nothing, and leaves the grid of an interval alone', () => {
    const random = jest.spyOn(Math, 'random');
    const callback = jest.fn();
    random.mockReturnValue(0.999_999);
    timers.schedule(callback, 100, { jitter: 0.5 });
    jest.advanceTimersByTime(149);
    expect(callback).not.toHaveBeenCalled();
    jest.advanceTimersByTime(1);
    expect(callback).toHaveBeenCalledTimes(1);
    const times: number[] = [];
    const from = performance.now();
    timers.every(() => times.push(performance.now() - from), 100, { jitter: 0.2 });
    jest.advanceTimersByTime(450);
    random.mockRestore();
    expect(times.map(Math.round)).toEqual([120, 220, 320, 420]);
  });

  test('unref is as the handle says', () => {
    expect(timers.schedule(noop, 10, { unref: true }).hasRef()).toBe(false);
    expect(timers.every(noop, 10).hasRef()).toBe(true);
  });

  test('every runs at each tick although refresh was called in between', () => {
    const callback = jest.fn();
    const handle = timers.every(callback, 10);
    jest.advanceTimersByTime(15);
    handle.refresh();
    jest.advanceTimersByTime(9);
    expect(callback).toHaveBeenCalledTimes(1);
    jest.advanceTimersByTime(1);
    expect(callback).toHaveBeenCalledTimes(2);
  });
});

describe('groups', () => {
  test('end together, and tell how many they were', () => {
    const callback = jest.fn();
    timers.schedule(callback, 10, { group: 'request 1' });
    timers.every(callback, 10, { group: 'request 1' });
    timers.schedule(callback, 10, { group: 'request 2' });
    expect(timers.clearGroup('request 1')).toBe(2);
    expect(timers.clearGroup('request 1')).toBe(0);
    jest.advanceTimersByTime(50);
    expect(callback).toHaveBeenCalledTimes(1);
    expect(timers.clearGroup('request 2')).toBe(0);
  });

  test('a refreshed timer is in its group again', () => {
    const handle = timers.schedule(noop, 10, { group: 'g' });
    jest.advanceTimersByTime(10);
    handle.refresh();
    expect(timers.clearGroup('g')).toBe(1);
    expect(timers.getStats().total).toBe(0);
  });
});

describe('delay', () => {
  test('resolves after its time', async () => {
    const done = jest.fn();
    const promise = timers.delay(10).then(done);
    await jest.advanceTimersByTimeAsync(9);
    expect(done).not.toHaveBeenCalled();
    await jest.advanceTimersByTimeAsync(1);
    await promise;
    expect(done).toHaveBeenCalledWith(undefined);
  });

  test('rejects with the reason of its signal, before or while it waits', async () => {
    const reason = new Error('enough');
    await expect(timers.delay(10, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const controller = new AbortController();
    const promise = timers.delay(10, { signal: controller.signal });
    controller.abort(reason);
    await expect(promise).rejects.toBe(reason);
    expect(timers.getStats().total).toBe(0);
  });

  test('rejects when the manager is destroyed', async () => {
    const promise = timers.delay(10);
    timers.destroy();
    await expect(promise).rejects.toThrow(DestroyedError);
  });
});

test('metrics add up, whatever ended the timers', () => {
  make({ maxTimers: 5, onLimit: 'evict-oldest', maxLifetime: 30, onStale: 'clear' });
  const controller = new AbortController();
  timers.setTimeout(noop, 5);
  timers.setInterval(noop, 20);
  timers.schedule(noop, 5_000, { signal: controller.signal });
  timers.clearTimeout(timers.setTimeout(noop, 5_000));
  jest.advanceTimersByTime(100);
  controller.abort();
  for (let count = 0; count < 7; count++) timers.setTimeout(noop, 5_000);
  timers.destroy();
  const metrics = timers.metrics();
  const ends = ['completed', 'cleared', 'aborted', 'evicted', 'staleCleared', 'destroyed'] as const;
  expect(Object.fromEntries(ends.map((end) => [end, metrics[end]]))).toEqual({
    completed: 1,
    cleared: 1,
    aborted: 1,
    evicted: 2,
    staleCleared: 1,
    destroyed: 5,
  });
  expect(metrics.scheduled).toBe(ends.reduce((sum, end) => sum + metrics[end], 0));
});

describe('list', () => {
  test('tells what is pending', () => {
    timers.setTimeout(noop, 100).unref();
    timers.every(noop, 30, { label: 'l', group: 'g' });
    jest.advanceTimersByTime(40);
    expect(timers.list()).toEqual([
      {
        kind: 'timeout',
        label: undefined,
        group: undefined,
        age: 40,
        remaining: 60,
        delay: 100,
        ref: false,
        stale: false,
        stack: undefined,
      },
      {
        kind: 'interval',
        label: 'l',
        group: 'g',
        age: 40,
        remaining: 20,
        delay: 30,
        ref: true,
        stale: false,
        stack: undefined,
      },
    ]);
  });

  test('tells where each was made, on request', () => {
    make({ captureStacks: true });
    function leaky(): void {
      timers.setTimeout(noop, 1);
      timers.setInterval(noop, 1);
      timers.schedule(noop, 1);
      timers.every(noop, 1);
    }
    leaky();
    for (const { stack } of timers.list()) expect(stack).toMatch(/^ +at .*timerManager\.options\.spec/);
  });
});

describe('pause', () => {
  test('stops time, also for timers made meanwhile, and resume lets it go on', () => {
    const calls: string[] = [];
    timers.setTimeout(() => calls.push('before'), 10);
    jest.advanceTimersByTime(6);
    timers.pause();
    timers.pause();
    timers.setTimeout(() => calls.push('meanwhile'), 5);
    jest.advanceTimersByTime(1_000);
    expect(calls).toEqual([]);
    expect(timers.list().map(({ remaining }) => remaining)).toEqual([4, 5]);
    timers.resume();
    timers.resume();
    jest.advanceTimersByTime(4);
    expect(calls).toEqual(['before']);
    jest.advanceTimersByTime(1);
    expect(calls).toEqual(['before', 'meanwhile']);
  });

  test('leaves an interval on its grid, and its age alone', () => {
    const times: number[] = [];
    const from = performance.now();
    timers.every(() => times.push(performance.now() - from), 10, { overrun: 'queue' });
    jest.advanceTimersByTime(13);
    timers.pause();
    jest.advanceTimersByTime(1_000);
    timers.resume();
    jest.advanceTimersByTime(20);
    expect(times).toEqual([10, 1_020, 1_030]);
    expect(timers.list()[0]!.age).toBe(33);
  });

  test('works on the wheel too', async () => {
    jest.useRealTimers();
    const calls: string[] = [];
    timers.setTimeout(() => calls.push('before'), 5);
    timers.pause();
    timers.setTimeout(() => calls.push('meanwhile'), 6);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(calls).toEqual([]);
    timers.resume();
    const from = performance.now();
    while (calls.length < 2) await timers.delay(1);
    expect(performance.now() - from).toBeGreaterThanOrEqual(4);
    expect(calls).toEqual(['before', 'meanwhile']);
  });

  test('in a callback keeps the rest of its batch for later', async () => {
    jest.useRealTimers();
    const callback = jest.fn();
    timers.setTimeout(() => timers.pause(), 2);
    timers.setTimeout(callback, 2);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(callback).not.toHaveBeenCalled();
    timers.resume();
    await timers.delay(5);
    expect(callback).toHaveBeenCalledTimes(1);
  });
});

describe('bad input', () => {
  const code = 'ERR_KEELSON_INVALID_ARGUMENT';
  test.each<[string, unknown]>([
    ['"maxTimers" must be a whole number from 1', { maxTimers: 0 }],
    ['"maxTimers"', { maxTimers: 1.5 }],
    ['"maxTimers"', { maxTimers: '5' }],
    ['"onLimit" must be one of', { onLimit: 'explode' }],
    ['"maxLifetime"', { maxLifetime: 0 }],
    ['"onStale"', { onStale: true }],
    ['"captureStacks" must be a boolean', { captureStacks: 1 }],
    ['"options.maxTimer" is not an option; the options are maxTimers', { maxTimer: 5 }],
    ['"options" must be an object', null],
    ['"options" must be an object', 5],
  ])('to the constructor: %s', (message, options) => {
    expect(() => make(options as TimerManagerOptions)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
  });

  test.each<[string, unknown, unknown]>([
    ['"ms" must be a number from 0 to Infinity, but it is NaN', Number.NaN, {}],
    ['"ms"', -1, {}],
    ['"ms"', '5', {}],
    ['"group" must be a string', 1, { group: 5 }],
    ['"label"', 1, { label: Symbol('x') }],
    ['"signal" must be an AbortSignal', 1, { signal: {} }],
    ['"jitter" must be a number from 0 to 1', 1, { jitter: 1.1 }],
    ['"maxLifetime"', 1, { maxLifetime: -1 }],
    ['"unref"', 1, { unref: 'no' }],
    ["\"overrun\" must be one of 'skip', 'queue'", 1, { overrun: 'drop' }],
    ['"options.lable" is not an option', 1, { lable: 'x' }],
  ])('to every: %s', (message, ms, options) => {
    expect(() => timers.every(noop, ms as number, options as object)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
    expect(timers.getStats().total).toBe(0);
  });

  test('overrun is not an option of schedule, and clearGroup wants a name', async () => {
    expect(() => timers.schedule(noop, 1, { overrun: 'skip' } as object)).toThrow('"options.overrun"');
    expect(() => timers.clearGroup(undefined as never)).toThrow('"group" must be a string');
    expect(() => timers.shutdownOn('SIGTERM' as never)).toThrow('"signals" must be an array');
    expect(() => timers.shutdownOn(['SIGTERM', 5 as never])).toThrow('"signals" must be a string');
    expect(process.listenerCount('SIGTERM')).toBe(0);
    await expect(timers.delay(-1)).rejects.toMatchObject({ code });
  });
});
