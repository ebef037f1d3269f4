import { hasBegun, isOver } from '../router/respond.js';

/** What a response is answered with. */
const ANSWERS = [
  'json',
  'send',
  'end',
  'sendStatus',
  'redirect',
  'render',
  'sendFile',
  'write',
  'writeHead',
] as const;

/**
 * Watches whether a response is answered from now on; the returned function ends that and tells. Responses of node:http say
 * it themselves. Of others, such as mocks and Fastify's, which may not be sent at once, the methods are watched.
 */
export function watchAnswer(res: any): () => boolean {
  if (typeof res !== 'object' || res === null) return () => false;
  if (typeof res.headersSent === 'boolean' || typeof res.writableEnded === 'boolean') {
    return () => hasBegun(res) || isOver(res);
  }
  let isAnswered = false;
  const undo: (() => void)[] = [];
  const wrap = (name: string, answers: (returned: unknown) => boolean): void => {
    const original = res[name];
    if (typeof original !== 'function') return;
    const own = Object.getOwnPropertyDescriptor(res, name);
    res[name] = function (this: unknown, ...args: unknown[]): unknown {
      const returned: unknown = original.apply(this, args);
      if (answers(returned)) isAnswered = true;
      return returned;
    };
    undo.push(() => {
      if (own === undefined) delete res[name];
      else Object.defineProperty(res, name, own);
    });
  };
  for (const name of ANSWERS) wrap(name, () => true);
  // A mock whose status gives something else to answer with.
  wrap('status', (returned) => returned !== res && returned !== undefined);
  return () => {
    for (const restore of undo.splice(0)) restore();
    // One of Fastify's can be taken out of its hands.
    return isAnswered || res.sent === true;
  };
}

/** Sets a header in any of the ways that responses have. */
export function setHeader(res: any, name: string, value: string): void {
  if (typeof res.setHeader === 'function') res.setHeader(name, value);
  else if (typeof res.header === 'function') res.header(name, value);
  else if (typeof res.set === 'function') res.set(name, value);
}

/**
 * Calls back once when a response is over, with whether it was sent completely. Returns false for one that does not tell,
 * such as a mock.
 */
export function whenOver(res: any, over: (isSent: boolean) => void): boolean {
  if (typeof res?.once !== 'function') return false;
  let isOver = false;
  const end = (isSent: boolean): void => {
    if (isOver) return;
    isOver = true;
    over(isSent);
  };
  if (res.destroyed === true || res.writableFinished === true) {
    end(res.writableFinished === true);
    return true;
  }
  res.once('finish', () => end(true));
  res.once('close', () => end(res.writableFinished === true));
  return true;
}
