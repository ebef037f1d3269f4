/**
 * What most hand-written timer managers are: Node's timers, each handle kept in a Set so that destroy() can clear
 * them all, each callback wrapped so that the handle leaves the Set when it fires.
 */
class TrackedTimers {
  #handles = new Set();

  setTimeout(callback, ms, ...args) {
    const handle = setTimeout(() => {
      this.#handles.delete(handle);
      callback(...args);
    }, ms);
    this.#handles.add(handle);
    return handle;
  }

  clearTimeout(handle) {
    clearTimeout(handle);
    this.#handles.delete(handle);
  }

  destroy() {
    for (const handle of this.#handles) {
      clearTimeout(handle);
    }
    this.#handles.clear();
  }
}

/** Node's own timers behind the same two methods. */
const nodeTimers = {
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  clearTimeout: (handle) => clearTimeout(handle),
};

export const timerManagers = {
  async keelson() {
    const { TimerManager } = await import('keelson');
    return new TimerManager({ maxTimers: 2_000_000 });
  },
  'Node timers': () => nodeTimers,
  'tracked Set': () => new TrackedTimers(),
};

/** A benchmark's contestants: `measure` makes the sampler out of something with setTimeout and clearTimeout. */
export function timerContestants(measure) {
  return Object.fromEntries(
    Object.entries(timerManagers).map(([name, create]) => [name, async () => measure(await create())]),
  );
}
