import { spawn } from 'node:child_process';
import { outputOf, root } from './process';
import { eventually } from './server';

/** A process that a test talks to by signals, and that says what it does on its stdout. */
export interface Child {
  pid: number;
  stdout(): string;
  stderr(): string;
  /** Resolves to the first group of a match in its stdout, once there is one. */
  says(pattern: RegExp): Promise<string>;
  kill(signal: NodeJS.Signals): void;
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

const running = new Set<ReturnType<typeof spawn>>();

/** Ends what a failed test has left over. */
export function killChildren(): void {
  for (const child of running) child.kill('SIGKILL');
}

/** Runs `source` as CommonJS beside the test. */
export function runChild(source: string, args: string[] = []): Child {
  const env = { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0', NODE_ENV: 'test' };
  const child = spawn(process.execPath, [...args, '-e', source], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  const output = outputOf(child);
  const ended = new Promise<Awaited<Child['ended']>>((resolve) => {
    child.on('close', (code, signal) => {
      running.delete(child);
      resolve({ code, signal });
    });
  });
  return {
    pid: child.pid!,
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    says: async (pattern) => {
      await eventually(() => {
        if (pattern.test(output.stdout)) return true;
        if (running.has(child)) return false;
        throw new Error(`The process ended without ${pattern}: ${output.stdout}${output.stderr}`);
      });
      return pattern.exec(output.stdout)![1] ?? '';
    },
    kill: (signal) => void child.kill(signal),
    ended,
  };
}
