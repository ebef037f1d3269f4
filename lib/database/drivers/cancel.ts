/** A request that did nothing, because the statement had not begun, is repeated after this long. */
const AGAIN = 250;

/** Resolves once `work` has settled, one way or the other. */
function settled(work: PromiseLike<unknown>): Promise<void> {
  return new Promise((resolve) => {
    work.then(
      () => resolve(),
      () => resolve(),
    );
  });
}

/**
 * Asks the server to stop `running` until it has settled, and then has `flush` run a statement of no use, so that it
 * and not the next user's is hit by a request that came too late.
 */
export async function cancelUntil(
  running: PromiseLike<unknown>,
  request: () => Promise<unknown>,
  flush: () => PromiseLike<unknown>,
): Promise<void> {
  let over = false;
  const end = settled(running).then(() => {
    over = true;
  });
  do {
    await request();
    let timer: NodeJS.Timeout | undefined;
    const pause = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, AGAIN);
    });
    await Promise.race([end, pause]);
    clearTimeout(timer);
  } while (!over);
  await settled(flush());
}
