// What this service asked of its own timer manager before keelson took its place.
import { TimerManager, timerManager } from '../../src/lib/utilities/performance/timerManager';

describe('with fake timers', () => {
  let manager: TimerManager;

  beforeEach(() => {
    jest.useFakeTimers();
    manager = new TimerManager();
  });

  afterEach(() => {
    manager.destroy();
    jest.useRealTimers();
  });

  test('a timeout fires once, when it is due and not before', () => {
    const callback = jest.fn();
    manager.setTimeout(callback, 1000);
    jest.advanceTimersByTime(999);
    expect(callback).not.toHaveBeenCalled();
    jest.advanceTimersByTime(1);
    expect(callback).toHaveBeenCalledTimes(1);
    jest.advanceTimersByTime(10_000);
    expect(callback).toHaveBeenCalledTimes(1);
  });

  test('an interval fires until it is cleared', () => {
    const callback = jest.fn();
    const handle = manager.setInterval(callback, 100);
    jest.advanceTimersByTime(350);
    expect(callback).toHaveBeenCalledTimes(3);
    manager.clearInterval(handle);
    jest.advanceTimersByTime(1000);
    expect(callback).toHaveBeenCalledTimes(3);
  });

  test('arguments reach the callback', () => {
    const callback = jest.fn();
    manager.setTimeout(callback, 5, 'a', 1);
    jest.runAllTimers();
    expect(callback).toHaveBeenCalledWith('a', 1);
  });

  test('timeouts fire in the order of their deadlines', () => {
    const order: number[] = [];
    for (const delay of [30, 10, 20, 10]) manager.setTimeout(() => order.push(delay), delay);
    jest.advanceTimersByTime(30);
    expect(order).toEqual([10, 10, 20, 30]);
  });

  test('the stats count what is alive', () => {
    expect(manager.getStats()).toStrictEqual({ timeouts: 0, intervals: 0, total: 0 });
    manager.setTimeout(() => {}, 10);
    const cleared = manager.setTimeout(() => {}, 10);
    const interval = manager.setInterval(() => {}, 10);
    expect(manager.getStats()).toStrictEqual({ timeouts: 2, intervals: 1, total: 3 });
    manager.clearTimeout(cleared);
    expect(manager.getStats()).toStrictEqual({ timeouts: 1, intervals: 1, total: 2 });
    jest.advanceTimersByTime(10);
    expect(manager.getStats()).toStrictEqual({ timeouts: 0, intervals: 1, total: 1 });
    manager.clearInterval(interval);
    expect(manager.getStats()).toStrictEqual({ timeouts: 0, intervals: 0, total: 0 });
  });

  test('clearing what is not there is harmless', () => {
    const callback = jest.fn();
    const handle = manager.setTimeout(callback, 10);
    manager.clearTimeout(handle);
    manager.clearTimeout(handle);
    manager.clearTimeout(undefined as unknown as NodeJS.Timeout);
    manager.clearInterval(null as unknown as NodeJS.Timeout);
    manager.clearTimeout(setTimeout(() => {}, 1));
    jest.advanceTimersByTime(20);
    expect(callback).not.toHaveBeenCalled();
    expect(manager.getStats().total).toBe(0);
  });

  test('a callback may clear itself', () => {
    let runs = 0;
    const handle = manager.setInterval(() => {
      runs++;
      if (runs === 2) manager.clearInterval(handle);
    }, 10);
    jest.advanceTimersByTime(100);
    expect(runs).toBe(2);
    expect(manager.getStats().total).toBe(0);
  });

  test('a callback may start timers', () => {
    const inner = jest.fn();
    manager.setTimeout(() => manager.setTimeout(inner, 10), 10);
    jest.advanceTimersByTime(19);
    expect(inner).not.toHaveBeenCalled();
    jest.advanceTimersByTime(1);
    expect(inner).toHaveBeenCalledTimes(1);
  });

  test.each([
    ['runAllTimers', () => jest.runAllTimers()],
    ['runOnlyPendingTimers', () => jest.runOnlyPendingTimers()],
  ])('jest.%s fires every timeout', (_name, advance) => {
    const fired: number[] = [];
    for (const delay of [10, 2000, 70_000]) manager.setTimeout(() => fired.push(delay), delay);
    advance();
    expect(fired).toEqual([10, 2000, 70_000]);
  });

  test('jest.advanceTimersToNextTimer goes from one deadline to the next', () => {
    const fired: number[] = [];
    for (const delay of [10, 20, 90_000]) manager.setTimeout(() => fired.push(delay), delay);
    for (const expected of [[10], [10, 20], [10, 20, 90_000]]) {
      jest.advanceTimersToNextTimer();
      expect(fired).toEqual(expected);
    }
  });

  test('the global functions clear a handle too', () => {
    const callback = jest.fn();
    clearTimeout(manager.setTimeout(callback, 10));
    clearInterval(manager.setInterval(callback, 10));
    jest.advanceTimersByTime(100);
    expect(callback).not.toHaveBeenCalled();
  });

  test('one manager knows nothing of another', () => {
    const other = new TimerManager();
    const callback = jest.fn();
    manager.setTimeout(callback, 10);
    other.destroy();
    jest.advanceTimersByTime(10);
    expect(callback).toHaveBeenCalledTimes(1);
  });

  test('destroy ends everything and may be called again', () => {
    const callback = jest.fn();
    manager.setTimeout(callback, 10);
    manager.setInterval(callback, 10);
    manager.destroy();
    manager.destroy();
    jest.advanceTimersByTime(100);
    expect(callback).not.toHaveBeenCalled();
    expect(manager.getStats()).toStrictEqual({ timeouts: 0, intervals: 0, total: 0 });
    expect(() => manager.setTimeout(callback, 1)).toThrow('TimerManager has been destroyed');
    expect(() => manager.setTimeout(callback, 1)).toThrow(Error);
  });
});

describe('with real timers', () => {
  test('the global functions clear a handle too, and the manager notices', () => {
    const manager = new TimerManager();
    clearTimeout(manager.setTimeout(() => {}, 60_000));
    clearInterval(manager.setInterval(() => {}, 60_000));
    expect(manager.getStats().total).toBe(0);
    manager.destroy();
  });

  test('a handle is what code that knows NodeJS.Timeout expects', () => {
    const manager = new TimerManager();
    const handle: NodeJS.Timeout = manager.setTimeout(() => {}, 60_000);
    expect(handle.hasRef()).toBe(true);
    expect(handle.unref()).toBe(handle);
    expect(handle.hasRef()).toBe(false);
    expect(handle.ref().refresh()).toBe(handle);
    expect(typeof handle[Symbol.toPrimitive]()).toBe('number');
    manager.clearTimeout(handle);
    manager.destroy();
  });

  test('there is one manager for the whole process', () => {
    expect(timerManager).toBeInstanceOf(TimerManager);
    expect(timerManager.getStats()).toStrictEqual({ timeouts: 0, intervals: 0, total: 0 });
  });
});
