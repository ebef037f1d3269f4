import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

/** The project's folder. */
export const root = join(__dirname, '..', '..');

export interface Outcome {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface Options {
  cwd?: string;
  env?: Record<string, string>;
  /** After this many milliseconds the process is killed: it hangs. */
  limit?: number;
}

/** What a process has printed so far: it grows. */
export function outputOf(child: ChildProcessByStdio<null, Readable, Readable>): {
  stdout: string;
  stderr: string;
} {
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].on('data', (chunk) => {
      output[name] += chunk;
    });
  }
  return output;
}

/** Runs this very Node with `args` until it ends by itself. */
export function runNode(
  args: string[],
  { cwd = root, env = {}, limit = 60_000 }: Options = {},
): Promise<Outcome> {
  const inherited = { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' } as Record<string, string>;
  // A jest inside this jest must not take itself for one of its workers.
  delete inherited.JEST_WORKER_ID;
  delete inherited.NODE_OPTIONS;
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      cwd,
      env: { ...inherited, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: limit,
      killSignal: 'SIGKILL',
    });
    const output = outputOf(child);
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, ...output }));
  });
}

/** Runs `source` as CommonJS and returns what it printed as JSON; fails unless it ended well and in silence. */
export async function evaluate<T>(source: string, options?: Options): Promise<T> {
  const { code, signal, stdout, stderr } = await runNode(['-e', source], options);
  expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
  return JSON.parse(stdout) as T;
}

/** How long it may take a process to start and to end, in milliseconds: not the minutes of what keeps it. */
const SOON = 20_000;

/** As evaluate(), of a process that nothing keeps from ending. */
export async function evaluateSoon<T>(source: string): Promise<T> {
  const began = Date.now();
  const found = await evaluate<T>(source);
  expect(Date.now() - began).toBeLessThan(SOON);
  return found;
}

/** A new empty folder outside the project, and a function that removes it. */
export function temporaryFolder(): { folder: string; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'keelson-'));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Copies files and folders of the project into `folder`. */
export function copyInto(folder: string, ...names: string[]): void {
  for (const name of names) cpSync(join(root, name), join(folder, name), { recursive: true });
}
