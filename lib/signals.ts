/** What a signal may end. */
export interface Abortable {
  cancel(reason: unknown): void;
}

interface Watch {
  readonly all: Set<Abortable>;
  readonly listener: () => void;
}

/** One listener for each signal, however many calls share it: Node warns of more than ten. */
const watches = new WeakMap<AbortSignal, Watch>();

/** Cancels `one` when `signal` aborts, which it has not done yet. */
export function watch(signal: AbortSignal, one: Abortable): void {
  let found = watches.get(signal);
  if (found === undefined) {
    const all = new Set<Abortable>();
    const listener = (): void => {
      watches.delete(signal);
      for (const each of all) each.cancel(signal.reason);
    };
    found = { all, listener };
    watches.set(signal, found);
    signal.addEventListener('abort', listener, { once: true });
  }
  found.all.add(one);
}

/** Undoes `watch`; harmless after `signal` has aborted. */
export function unwatch(signal: AbortSignal, one: Abortable): void {
  const found = watches.get(signal);
  if (found === undefined) return;
  found.all.delete(one);
  if (found.all.size > 0) return;
  watches.delete(signal);
  signal.removeEventListener('abort', found.listener);
}

/** The promise, or a rejection as soon as the signal aborts. */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    // Whoever gives up has nobody to tell that it failed.
    if (signal.aborted) {
      promise.catch(() => {});
      reject(signal.reason);
      return;
    }
    const waiter: Abortable = { cancel: reject };
    watch(signal, waiter);
    const end = (): void => unwatch(signal, waiter);
    promise.then(
      (value) => {
        end();
        resolve(value);
      },
      (error) => {
        end();
        reject(error);
      },
    );
  });
}
