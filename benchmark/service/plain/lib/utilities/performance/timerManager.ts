/**
 * Node's own timers, tracked so that all of them can be cleared.
 *
 * As the original: its housekeeping is an interval of its own that is counted; a callback that throws leaves its handle behind, and
 * so does a global or a cross-type clear; the limit of 1,000 only warns, once each time that it is crossed; the module's manager
 * keeps the process alive and turns SIGTERM and SIGINT into exit(0).
 */
const MAX_TIMERS = 1000;
const HOUSEKEEPING = 60_000;
const MAX_AGE = 60 * 60_000;

interface Tracked {
  handle: NodeJS.Timeout;
  created: number;
  delay: number;
}

export class TimerManager {
  private readonly timeouts = new Map<NodeJS.Timeout, Tracked>();
  private readonly intervals = new Map<NodeJS.Timeout, Tracked>();
  private destroyed = false;

  /** It knows no options. */
  constructor(_options?: object) {
    this.setInterval(() => this.cleanUp(), HOUSEKEEPING);
  }

  setTimeout(callback: (...args: any[]) => void, delay = 0, ...args: any[]): NodeJS.Timeout {
    this.check();
    const handle = setTimeout(() => {
      callback(...args);
      this.timeouts.delete(handle);
    }, delay);
    this.timeouts.set(handle, { handle, created: Date.now(), delay });
    return handle;
  }

  setInterval(callback: (...args: any[]) => void, delay = 0, ...args: any[]): NodeJS.Timeout {
    this.check();
    const handle = setInterval(() => callback(...args), delay);
    this.intervals.set(handle, { handle, created: Date.now(), delay });
    return handle;
  }

  clearTimeout(handle: NodeJS.Timeout | undefined | null): void {
    if (!handle) return;
    clearTimeout(handle);
    this.timeouts.delete(handle);
  }

  clearInterval(handle: NodeJS.Timeout | undefined | null): void {
    if (!handle) return;
    clearInterval(handle);
    this.intervals.delete(handle);
  }

  getStats(): { timeouts: number; intervals: number; total: number } {
    const { size: timeouts } = this.timeouts;
    const { size: intervals } = this.intervals;
    return { timeouts, intervals, total: timeouts + intervals };
  }

  destroy(): void {
    this.destroyed = true;
    for (const handle of this.timeouts.keys()) clearTimeout(handle);
    for (const handle of this.intervals.keys()) clearInterval(handle);
    this.timeouts.clear();
    this.intervals.clear();
  }

  private check(): void {
    if (this.destroyed) throw new Error('TimerManager has been destroyed');
    if (this.timeouts.size + this.intervals.size === MAX_TIMERS) {
      console.warn(`TimerManager: more than ${MAX_TIMERS} active timers, possible leak`);
    }
  }

  private cleanUp(): void {
    const now = Date.now();
    for (const { handle, created, delay } of this.timeouts.values()) {
      if (now - created > delay + MAX_AGE) this.clearTimeout(handle);
    }
  }
}

export const timerManager: TimerManager = new TimerManager();

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    timerManager.destroy();
    process.exit(0);
  });
}
