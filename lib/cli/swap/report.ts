import type { Terminal } from '../command.js';
import { replacementDiff } from './diff.js';
import type { Findings } from './find.js';

/** Prints what is to change, for people. */
export function printPlan({ swaps, done, left, warnings }: Findings, { out }: Terminal): void {
  for (const { path, title, text, after, changes } of swaps) {
    out(`${path} is the ${title}:`);
    out(replacementDiff(path, text, after));
    out('What changes in behaviour:');
    for (const line of changes) out(`  - ${line}`);
    out('');
  }
  for (const path of done) out(`Done before: ${path}`);
  for (const { path, reason } of left) out(`Left alone: ${path}: ${reason}`);
  for (const warning of warnings) out(`Warning: ${warning}`);
  if (swaps.length === 0) out('Nothing to swap.');
}

/** The plan for programs. */
export function planJson(
  { swaps, done, left, warnings }: Findings,
  root: string,
  hints: readonly string[],
): string {
  const plan = {
    root,
    swap: swaps.map(({ path, title, text, after, changes }) => ({
      path,
      module: title,
      contents: after,
      changes,
      diff: replacementDiff(path, text, after),
    })),
    done,
    left,
    warnings,
    hints,
  };
  return JSON.stringify(plan, null, 2);
}
