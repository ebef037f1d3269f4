/** A request that did nothing, because the statement had not begun, is repeated after this long. */
const AGAIN = 250;

/** Whether `work` settles, one way or the other, within so many milliseconds. */
export async function settlesWithin(work: PromiseLike<unknown>, ms: number): Promise<boolean> {
  const over = (): boolean => true;
  let timer: NodeJS.Timeout | undefined;
  const pause = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, ms, false);
  });
  const answer = await Promise.race([work.then(over, over), pause]);
  clearTimeout(timer);
  return answer;
}

/** Asks the server to stop `running` until it has settled. */
export async function stopped(running: PromiseLike<unknown>, request: () => Promise<unknown>): Promise<void> {
  do await request();
  while (!(await settlesWithin(running, AGAIN)));
}

/**
 * Likewise, and then has `flush` run a statement of no use, so that it and not the next user's is hit by a request
 * that came too late.
 */
export async function cancelUntil(
  running: PromiseLike<unknown>,
  request: () => Promise<unknown>,
  flush: () => PromiseLike<unknown>,
): Promise<void> {
  await stopped(running, request);
  await Promise.allSettled([flush()]);
}
