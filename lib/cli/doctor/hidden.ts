import { callOn, queryObjects, release } from './heap.js';
import { takeScript } from './probe/script.js';
import type { Frame } from './probe/types.js';
import type { Answer, Session } from './session.js';

/** Active timers that call the same code, and were not seen to be made. */
export interface HiddenTimers {
  count: number;
  interval: boolean;
  /** Where the function begins that they call; undefined for one of Node's own. */
  callback: Frame | undefined;
}

interface Location {
  scriptId: string;
  lineNumber: number;
  columnNumber: number;
}

const TIMERS = '((timer) => (clearTimeout(timer), Object.getPrototypeOf(timer)))(setTimeout(() => {}, 1))';
const FIGURES = 'function () { return this.map(({ count, interval }) => ({ count, interval })); }';

/** Walks the heap for timers that code has made by a setTimeout of its own since the doctor came. */
export async function hiddenTimers(session: Session): Promise<HiddenTimers[]> {
  try {
    const timers = await queryObjects(session, TIMERS);
    const { result } = await callOn(session, timers, takeScript('hidden'), false);
    const groups = result!.objectId!;
    const figures = await callOn(session, groups, FIGURES);
    return await Promise.all(
      (figures.result!.value as Omit<HiddenTimers, 'callback'>[]).map(async (group, index) => {
        const { result } = await callOn(
          session,
          groups,
          `function () { return this[${index}].callback; }`,
          false,
        );
        return { ...group, callback: await frameOf(session, result!.objectId!) };
      }),
    );
  } finally {
    await release(session);
  }
}

/** Where a function begins. */
async function frameOf(session: Session, objectId: string): Promise<Frame | undefined> {
  const answer = await session.post('Runtime.getProperties', { objectId, ownProperties: true });
  const internal = answer.internalProperties as { name: string; value?: { value?: Location } }[] | undefined;
  const location = internal?.find(({ name }) => name === '[[FunctionLocation]]')?.value?.value;
  if (location === undefined) return undefined;
  const { scriptId, lineNumber, columnNumber } = location;
  const file = (await scriptUrls(session)).get(scriptId);
  return file === undefined ? undefined : { name: '', file, line: lineNumber + 1, column: columnNumber + 1 };
}

/**
 * The addresses of scripts. The debugger would tell them too, but it stops at each `debugger` statement while it is on;
 * what the profiler has counted anyway changes nothing.
 */
async function scriptUrls(session: Session): Promise<Map<string, string>> {
  await session.post('Profiler.enable');
  let answer: Answer;
  try {
    answer = await session.post('Profiler.getBestEffortCoverage');
  } finally {
    await session.post('Profiler.disable');
  }
  const scripts = answer.result as unknown as { scriptId: string; url: string }[];
  return new Map(scripts.map(({ scriptId, url }) => [scriptId, url]));
}
