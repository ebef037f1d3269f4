import { TimeoutError } from '../errors.js';
import type { Entry, Step } from './graph.js';
import type { CutOff } from './options.js';
import type { ResourceReport } from './report.js';

export interface Outcome {
  readonly state: ResourceReport['state'];
  readonly error?: unknown;
  readonly cutOff: CutOff;
}

/** Calls one step's `stop`, which has so many milliseconds. Resolves in any case, and then at the latest. */
export function attempt(entry: Entry, step: Step, reason: string, ms: number): Promise<Outcome> {
  const timeout = Math.max(0, Math.round(ms));
  const controller = new AbortController();
  const cutOff: CutOff = {};
  let isOver = false;
  return new Promise((resolve) => {
    const end = (state: Outcome['state'], error?: unknown): void => {
      isOver = true;
      clearTimeout(timer);
      resolve(error === undefined ? { state, cutOff } : { state, error, cutOff });
    };
    const timer = setTimeout(() => {
      const error = new TimeoutError(`Stopping '${entry.name}'`, timeout);
      // Who listens says what it has to cut off.
      controller.abort(error);
      end('timed-out', error);
    }, timeout);
    const context = {
      reason,
      timeout,
      signal: controller.signal,
      cutOff: (kind: string, count: number): void => {
        if (!isOver && count > 0) cutOff[kind] = (cutOff[kind] ?? 0) + count;
      },
    };
    stopped(entry, step, context).then(
      () => isOver || end('stopped'),
      (error) => isOver || end('failed', error ?? new Error(`Stopping '${entry.name}' failed`)),
    );
  });
}

/** What is starting still gets to its end first: nobody can stop half of it. Never calls `stop` before it returns. */
async function stopped(entry: Entry, step: Step, context: Parameters<Step['stop']>[0]): Promise<void> {
  await entry.starting?.catch(() => {});
  await step.stop(context);
}
