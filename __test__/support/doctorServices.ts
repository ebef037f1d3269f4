import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { outputOf, runNode, temporaryFolder } from './process';
import { eventually } from './server';
import { CLI } from './swapProject';

/** A finding of the report, as `--json` prints it. */
export interface Finding {
  kind: string;
  severity: string;
  thread: string;
  title: string;
  evidence: Record<string, number>;
  places: { name: string; file: string; line: number; column: number; source?: string }[];
  others: Finding['places'];
  path?: string;
  advice: string;
}

export interface Report {
  service: { pid: number; node: string; script: string };
  seconds: number;
  threads: string[];
  findings: Finding[];
  remarks: string[];
  cost: { stacksMs: number; longestPauseMs: number };
}

/**
 * What each service and each of its threads begins with: it says `NAME is original` or `NAME is watched` whenever that
 * changes, by comparing what the doctor may replace with what was there before.
 */
export const WATCHED = `
const timersModule = process.getBuiltinModule?.('node:timers') ?? require('node:timers');
const replaceable = () => [
  JSON.parse, JSON.stringify, globalThis.setTimeout, globalThis.setInterval, timersModule.setTimeout,
  timersModule.setInterval, Map.prototype.set, Set.prototype.add, globalThis[Symbol.for('keelson.doctor')],
];
function sayWatched(name, also = () => []) {
  const originals = [...replaceable(), ...also()];
  const native = [JSON.parse, JSON.stringify, Map.prototype.set, Set.prototype.add];
  let said;
  setInterval(() => {
    const same = [...replaceable(), ...also()].every((one, index) => one === originals[index]);
    const text = [JSON.parse, JSON.stringify, Map.prototype.set, Set.prototype.add].map(String);
    const is = same && text.every((one) => one.endsWith('{ [native code] }')) ? 'original' : 'watched';
    if (is !== said) console.log(name + ' is ' + (said = is));
  }, 20);
}
`;

export interface Service {
  folder: string;
  pid: number;
  /** Its inspector's port; 0 where it has none. */
  port: number;
  stdout(): string;
  stderr(): string;
  /** Resolves once its stdout has a match. */
  says(pattern: RegExp): Promise<void>;
  kill(signal: NodeJS.Signals): void;
  ended: Promise<number | null>;
}

/** Starts services in folders of their own, and ends them after each test. */
export function useServices(): (files: Record<string, string>, args?: string[]) => Promise<Service> {
  const cleanups: (() => Promise<void>)[] = [];
  afterEach(async () => {
    await Promise.all(cleanups.splice(0).map((cleanup) => cleanup()));
  });

  /** Runs the first of the files. */
  return async (files, args = ['--inspect=127.0.0.1:0']) => {
    const { folder, remove } = temporaryFolder();
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    const script = join(folder, Object.keys(files)[0]!);
    const child = spawn(process.execPath, [...args, script], {
      cwd: folder,
      env: { ...process.env, NODE_OPTIONS: '', NO_COLOR: '1', FORCE_COLOR: '0' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output = outputOf(child);
    let running = true;
    const ended = new Promise<number | null>((resolve) => {
      child.on('close', (code) => {
        running = false;
        resolve(code);
      });
    });
    cleanups.push(async () => {
      child.kill('SIGKILL');
      await ended;
      remove();
    });
    const matches = (name: 'stdout' | 'stderr', pattern: RegExp) =>
      eventually(() => {
        if (pattern.test(output[name])) return true;
        if (running) return false;
        throw new Error(`The service ended without ${pattern}: ${output.stdout}${output.stderr}`);
      });
    const LISTENING = /listening on ws:\/\/127\.0\.0\.1:(\d+)/;
    const inspected = args.some((arg) => arg.startsWith('--inspect='));
    if (inspected) await matches('stderr', LISTENING);
    return {
      folder,
      pid: child.pid!,
      port: Number(LISTENING.exec(output.stderr)?.[1] ?? 0),
      stdout: () => output.stdout,
      stderr: () => output.stderr,
      says: (pattern) => matches('stdout', pattern),
      kill: (signal) => void child.kill(signal),
      ended,
    };
  };
}

/** The report of a doctor, which has to end with the exit code that fits. */
export async function examine({ port }: Service, ...args: string[]): Promise<Report> {
  const { code, stdout, stderr } = await runNode([
    CLI,
    'doctor',
    String(port),
    '--json',
    '--duration',
    '3',
    ...args,
  ]);
  expect({ stderr, code }).toEqual({
    stderr: expect.stringMatching(/^Looking at process \d+ for .*\n$/),
    code: expect.any(Number),
  });
  const report = JSON.parse(stdout) as Report;
  expect(code).toBe(report.findings.length > 0 ? 1 : 0);
  return report;
}
