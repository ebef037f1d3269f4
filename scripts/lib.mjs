// What the scripts share: where the project is, and how to run programs on every platform.
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

export const readJson = (file) => JSON.parse(readFileSync(file, 'utf8'));

export const manifest = readJson(join(root, 'package.json'));

/** npm's JavaScript: on Windows npm itself is a .cmd file, which spawn does not run. */
function npmCli() {
  if (process.env.npm_execpath?.endsWith('.js')) return process.env.npm_execpath;
  return join(dirname(process.execPath), 'node_modules', 'npm', 'bin', 'npm-cli.js');
}

/** A command and its arguments as spawn wants them on every platform. */
function resolveCommand([program, ...args]) {
  if (program === 'node') return [process.execPath, args];
  if (program === 'npm' && process.platform === 'win32') return [process.execPath, [npmCli(), ...args]];
  return [program, args];
}

function spawnOptions({ env: extra, ...options } = {}) {
  // No tool may wait for an answer, since there may be nobody to give one, nor colour what is read by scripts.
  const env = { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0', CARGO_TERM_COLOR: 'never', ...extra };
  return { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], env, ...options };
}

/** Runs a command to its end and returns its standard output; throws with all that it printed if it fails. */
export function run(command, options) {
  const [program, args] = resolveCommand(command);
  const result = spawnSync(program, args, spawnOptions({ encoding: 'utf8', maxBuffer: 1 << 28, ...options }));
  if (result.error) throw result.error;
  if (result.status !== 0) {
    throw new Error(
      `${command.join(' ')} failed (${result.status ?? result.signal})\n${result.stdout}${result.stderr}`,
    );
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
