import type { Answer, Session } from './session.js';

/** How long a walk of the heap or a garbage collection may take, in milliseconds. */
const PATIENCE = 120_000;
const GROUP = 'keelson-doctor';

/** Collects all garbage of a thread, which stands still meanwhile. */
export async function collectGarbage(session: Session): Promise<void> {
  await session.post('HeapProfiler.collectGarbage', {}, PATIENCE);
}

/** Calls a function with an object of the service as its `this`. */
export function callOn(session: Session, objectId: string, text: string, byValue = true): Promise<Answer> {
  const params = { objectId, functionDeclaration: text, objectGroup: GROUP, returnByValue: byValue };
  return session.post('Runtime.callFunctionOn', { ...params, silent: true }, PATIENCE);
}

/**
 * Finds all objects below a prototype by a walk of the heap, for which the thread stands still. Resolves to the id of the
 * array of them, which is held until release().
 */
export async function queryObjects(session: Session, prototype: string): Promise<string> {
  const { result } = await session.post('Runtime.evaluate', { expression: prototype, objectGroup: GROUP });
  const params = { prototypeObjectId: result?.objectId, objectGroup: GROUP };
  const { objects } = await session.post('Runtime.queryObjects', params, PATIENCE);
  return (objects as { objectId: string }).objectId;
}

/** Lets go of all objects that were asked for. */
export async function release(session: Session): Promise<void> {
  await session.post('Runtime.releaseObjectGroup', { objectGroup: GROUP });
}
