import type { Terminal } from '../command.js';
import type { Progress } from './capacity.js';
import { stepLine } from './lines.js';
import { round } from './step.js';

/** A line that is rewritten where a person looks, elsewhere a line a step. */
export function progressOn(terminal: Terminal): Progress & { end(): void } {
  const { status, err } = terminal;
  if (status === undefined) {
    return { phase() {}, sending() {}, step: (step) => err(stepLine(step)), end() {} };
  }
  let phase = '';
  const show = (rest = '') => status(`${phase}${rest}`);
  return {
    phase(text) {
      phase = text;
      show();
    },
    sending(requests, { settled, failed, p99 }) {
      const done = Math.floor((settled / requests) * 100);
      show(`: ${done} %, p99 ${round(p99)} ms, ${failed} failed`);
    },
    step() {},
    end: () => status(''),
  };
}

export const SILENT: ReturnType<typeof progressOn> = { phase() {}, sending() {}, step() {}, end() {} };
