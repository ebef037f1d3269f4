// The example service on the packed tarballs: node scripts/service.mjs prepare | test | start
//
// `prepare` packs keelson as it is built, installs the service's own dependencies from its lock file, and puts the
// tarballs into its node_modules. The lock file does not name keelson: the hash of a tarball changes with each
// build. What is in place already is not done again.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { root, run, start } from './lib.mjs';
import { packAll } from './pack.mjs';

/** Where the service is. */
export const service = join(root, 'examples', 'service');

const modules = join(service, 'node_modules');
/** What is installed; it lies in node_modules so that it goes when they go. */
const stampFile = join(modules, '.prepared.json');

const hashOf = (file) => createHash('sha256').update(readFileSync(file)).digest('hex');

function readStamp() {
  return existsSync(stampFile) ? JSON.parse(readFileSync(stampFile, 'utf8')) : {};
}

function npm(...args) {
  run(['npm', ...args, '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: service });
}

/** Makes the service runnable on keelson as it is built now. */
export function prepare() {
  const tarballs = packAll({ out: join(root, '.cache', 'service') });
  const wanted = { lock: hashOf(join(service, 'package-lock.json')), tarballs: tarballs.map(hashOf) };
  const found = readStamp();
  if (found.lock !== wanted.lock) npm('ci');
  if (found.lock !== wanted.lock || String(found.tarballs) !== String(wanted.tarballs)) {
    // Offline: the tarballs need nothing from a registry but the packages of other platforms, which are left out.
    npm('install', '--no-save', '--offline', ...tarballs);
    writeFileSync(stampFile, JSON.stringify(wanted));
  }
}

/** The step that does `prepare`, for npm start and npm test. */
export function setUpService() {
  const command = ['node', join('scripts', 'service.mjs'), 'prepare'];
  return [{ name: 'install the example service with keelson packed', command, essential: true }];
}

/** Builds the service and starts it in this process, so that signals reach it as they are. */
export function startService() {
  prepare();
  run(['npm', 'run', 'build'], { cwd: service });
  createRequire(import.meta.url)(join(service, 'dist', 'main.js'));
}

/** Builds the service and runs its tests on what `prepare` installed; resolves the exit code. */
export async function testService(args = []) {
  prepare();
  const { code } = await start(['npm', 'test', '--', '--ci', ...args], { cwd: service, stdio: 'inherit' });
  return code;
}

if (process.argv[1] === import.meta.filename) {
  const [command, ...args] = process.argv.slice(2);
  if (command === 'prepare') prepare();
  else if (command === 'test') process.exitCode = await testService(args);
  else if (command === 'start') startService();
  else throw new Error('Usage: node scripts/service.mjs prepare | test [jest arguments] | start');
}
