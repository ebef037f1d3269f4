import { type SpawnOptionsWithStdioTuple, spawn } from 'node:child_process';

/** How a program ended, and the end of what it printed. */
export interface Outcome {
  ok: boolean;
  output: string;
  seconds: number;
}

/** Characters of output that are kept. */
const KEPT = 1 << 16;

/**
 * Runs a program of the project to its end. It is given no input and told not to wait for any: watch modes of test
 * runners look at CI.
 */
export function runProgram(
  [program, ...args]: readonly [string, ...string[]],
  cwd: string,
): Promise<Outcome> {
  const env = { ...process.env, CI: process.env.CI ?? '1', NO_COLOR: '1', FORCE_COLOR: '0' };
  const options: SpawnOptionsWithStdioTuple<'ignore', 'pipe', 'pipe'> = {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    windowsHide: true,
    shell: needsShell(program),
  };
  const start = Date.now();
  return new Promise((resolve) => {
    // With a shell the arguments would be joined unquoted: quoted, they are the command.
    const child = options.shell
      ? spawn([program, ...args].map(quoted).join(' '), [], options)
      : spawn(program, args, options);
    let output = '';
    const end = (ok: boolean) => resolve({ ok, output, seconds: (Date.now() - start) / 1000 });
    const collect = (chunk: string) => {
      output = (output + chunk).slice(-KEPT);
    };
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', collect);
    child.on('error', (error) => {
      collect(error.message);
      end(false);
    });
    child.on('close', (code) => end(code === 0));
  });
}

/** On Windows a package manager is a .cmd file, which only the shell runs; node itself is no such file. */
function needsShell(program: string): boolean {
  return process.platform === 'win32' && program !== process.execPath;
}

/** For cmd.exe: within double quotes only they and percent signs mean something. */
function quoted(argument: string): string {
  return /^[\w.@:/\\=-]+$/.test(argument) ? argument : `"${argument.replace(/"/g, '""')}"`;
}
