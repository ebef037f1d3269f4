// What the scripts share: where the project is, and how to run programs on every platform.
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

export const readJson = (file) => JSON.parse(readFileSync(file, 'utf8'));

export const manifest = readJson(join(root, 'package.json'));

/**
 * A command and its arguments as spawn wants them. npm is a script and, on Windows, a .cmd file that spawn does
 * not run; under `npm run` its JavaScript is named by the environment.
 */
function resolveCommand([program, ...args]) {
  if (program === 'node') return [process.execPath, args];
  if (program !== 'npm') return [program, args];
  const cli = process.env.npm_execpath;
  return cli?.endsWith('.js') ? [process.execPath, [cli, ...args]] : ['npm', args];
}

function spawnOptions(options) {
  // No test and no tool may wait for an answer: there may be nobody to give one.
  return { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], shell: false, ...options };
}

/** Runs a command to its end and returns its standard output; throws with all that it printed if it fails. */
export function run(command, options) {
  const [program, args] = resolveCommand(command);
  const result = spawnSync(program, args, spawnOptions({ encoding: 'utf8', maxBuffer: 1 << 28, ...options }));
  if (result.error) throw result.error;
  if (result.status !== 0) {
    throw new Error(`${command.join(' ')} failed (${result.status ?? result.signal})\n${result.stdout}${result.stderr}`);
  }
  return result.stdout;
}

/** Runs a command without blocking; resolves, never rejects, with its exit code and all that it printed. */
export function start(command, options) {
  const [program, args] = resolveCommand(command);
  const child = spawn(program, args, spawnOptions(options));
  let output = '';
  const collect = (chunk) => {
    output += chunk;
  };
  child.stdout?.on('data', collect);
  child.stderr?.on('data', collect);
  return new Promise((resolve) => {
    child.on('error', (error) => resolve({ code: 1, output: `${command.join(' ')}: ${error.message}` }));
    child.on('close', (code) => resolve({ code: code ?? 1, output }));
  });
}
