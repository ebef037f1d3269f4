import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Outcome, root, runNode, temporaryFolder } from './process';
import type { Snippet } from './snippets';

/** Milliseconds for what the compiler, or a jest, does with all of them on a busy machine. */
export const PATIENCE = 300_000;
/** Programs that run at once. */
const AT_ONCE = 2;

export interface Programs {
  /** What the compiler says against them; empty if nothing. */
  complaints: string;
  /** Where they are: programs as NAME.mjs, specs of jest as NAME.spec.js. */
  folder: string;
  remove(): void;
}

/**
 * Compiles programs, by name, as one strict project. They are in a folder of this package, by whose own name they therefore import
 * it, as they import its development dependencies.
 */
export async function compile(sources: Readonly<Record<string, string>>): Promise<Programs> {
  mkdirSync(join(root, '.cache'), { recursive: true });
  const folder = mkdtempSync(join(root, '.cache', 'programs-'));
  const options = {
    rootDir: '.',
    outDir: '.',
    declaration: false,
    skipLibCheck: true,
    types: ['node', 'jest'],
  };
  const files = Object.keys(sources);
  const project = { extends: '../../tsconfig.json', compilerOptions: options, files, include: [] };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(project));
  for (const [name, source] of Object.entries(sources)) writeFileSync(join(folder, name), source);
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const { signal, stdout, stderr } = await runNode([tsc, '-p', folder], { cwd: folder, limit: PATIENCE });
  if (signal) throw new Error(`The compiler did not end within ${PATIENCE} ms`);
  return {
    complaints: stdout + stderr,
    folder,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** The file that a snippet is written to. */
export const fileOf = ({ id, output }: Snippet): string =>
  `${id}${output === undefined ? '.spec.ts' : '.mts'}`;

export const sourcesOf = (snippets: readonly Snippet[]): Record<string, string> =>
  Object.fromEntries(snippets.map((snippet) => [fileOf(snippet), snippet.source]));

async function run(file: string, env: Record<string, string>): Promise<Outcome> {
  const { folder: cwd, remove } = temporaryFolder();
  try {
    // What jest has set would choose a profile, which documentation does not speak of.
    return await runNode([file], { cwd, env: { NODE_ENV: '', ...env } });
  } finally {
    remove();
  }
}

/** Runs compiled snippets, two at a time and each in an empty folder of its own. */
export function runPrograms(
  snippets: readonly Snippet[],
  { folder }: Programs,
  env: Record<string, string> = {},
): Map<Snippet, Promise<Outcome>> {
  const outcomes = new Map<Snippet, Promise<Outcome>>();
  const lanes: Promise<unknown>[] = Array(AT_ONCE).fill(Promise.resolve());
  for (const [index, snippet] of snippets.entries()) {
    const lane = index % AT_ONCE;
    const outcome = lanes[lane]!.then(() => run(join(folder, `${snippet.id}.mjs`), env));
    outcomes.set(snippet, outcome);
    lanes[lane] = outcome.catch(() => {});
  }
  return outcomes;
}

/** A program ended well and in silence, and printed what the documentation says. */
export function expectOutcome({ output }: Snippet, { code, signal, stdout, stderr }: Outcome): void {
  expect({ code, signal, stderr, stdout }).toEqual({ code: 0, signal: null, stderr: '', stdout: output });
}

/** Runs all specs of a folder in one jest; returns its report. */
export async function runSpecs({ folder }: Programs): Promise<string> {
  const config = { rootDir: folder, testEnvironment: 'node', testMatch: ['**/*.spec.js'], transform: {} };
  const jest = join(root, 'node_modules', 'jest', 'bin', 'jest.js');
  const args = [jest, '--ci', '--runInBand', '--config', JSON.stringify(config)];
  const { code, stderr } = await runNode(args, { cwd: folder, limit: PATIENCE });
  if (code !== 0) throw new Error(stderr);
  return stderr;
}
