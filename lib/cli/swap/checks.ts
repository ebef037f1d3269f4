import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { type Manager, type Manifest, testCommand } from './manager.js';
import { type Outcome, runProgram } from './programs.js';

/** A check of the project's own that it passes or fails. */
export interface Check {
  title: string;
  command: [string, ...string[]];
}

/** What `npm init` writes, which always fails. */
const NO_TESTS = /no test specified/;

/** The project's type check and its tests, of which it may have neither. */
export function checksOf(root: string, manager: Manager, { scripts }: Manifest): Check[] {
  const tsc = existsSync(join(root, 'tsconfig.json')) ? tscOf(root) : undefined;
  const test = scripts?.test;
  return [
    ...(tsc === undefined ? [] : [{ title: 'tsc --noEmit', command: tsc }]),
    ...(test === undefined || NO_TESTS.test(test)
      ? []
      : [{ title: 'its tests', command: testCommand(manager) }]),
  ];
}

function tscOf(root: string): [string, ...string[]] | undefined {
  try {
    const manifest = createRequire(join(root, 'package.json')).resolve('typescript/package.json');
    return [process.execPath, join(manifest, '..', 'bin', 'tsc'), '--noEmit', '-p', 'tsconfig.json'];
  } catch {
    return undefined;
  }
}

/** Runs one check after the other: they may want the whole machine. */
export async function runChecks(
  root: string,
  checks: readonly Check[],
  tell: (check: Check, outcome: Outcome) => void,
): Promise<Map<string, Outcome>> {
  const outcomes = new Map<string, Outcome>();
  for (const check of checks) {
    const outcome = await runProgram(check.command, root);
    outcomes.set(check.title, outcome);
    tell(check, outcome);
  }
  return outcomes;
}
