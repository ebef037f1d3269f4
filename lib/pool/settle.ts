/** The longest delay of a timer in milliseconds, some 24 days: Node takes a longer one for none at all. */
const LONGEST_DELAY = 2 ** 31 - 1;

/** A delay for setTimeout: in whole milliseconds, never early. */
export const delayOf = (milliseconds: number): number => Math.min(Math.ceil(milliseconds), LONGEST_DELAY);

/** Calls back with what a function of the user's gives: at once, unless that is a promise. */
export function settle<R>(
  call: () => R | PromiseLike<R>,
  done: (value: R) => void,
  failed: (error: unknown) => void,
): void {
  let value: R | PromiseLike<R>;
  try {
    value = call();
    if (isThenable(value)) {
      Promise.resolve(value).then(done, failed);
      return;
    }
  } catch (error) {
    failed(error);
    return;
  }
  done(value);
}

function isThenable<R>(value: R | PromiseLike<R>): value is PromiseLike<R> {
  return (
    ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
    typeof (value as PromiseLike<R>).then === 'function'
  );
}
