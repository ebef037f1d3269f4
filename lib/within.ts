import { clearTimeout, setTimeout } from 'node:timers';

/**
 * What a promise gives within so many milliseconds.
 *
 * @param late makes the error when they are over
 * @param isIdle whether the process may end before
 * @throws what the promise rejects with, or the error of `late`
 */
export async function within<T>(
  ms: number,
  promise: PromiseLike<T>,
  late: () => Error,
  isIdle = false,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), ms);
    if (isIdle) timer.unref();
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
  }
}
