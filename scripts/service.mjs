// The example service on the packed tarballs: node scripts/service.mjs prepare | test | start
//
// `prepare` packs keelson as it is built, installs the service's own dependencies from its lock file, and puts the
// tarballs into its node_modules. The lock file does not name keelson: the hash of a tarball changes with each
// build. What is in place already is not done again.
//
// The dependencies are installed without their scripts, of which one is needed: better-sqlite3 is compiled by its own,
// unless the project's copy was.
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { readJson, root, run, start } from './lib.mjs';
import { packAll } from './pack.mjs';
import { prepareServers } from './servers.mjs';

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

/** A package as it lies in some node_modules, and the addon that its install script makes. */
function sqliteIn(folder) {
  const at = join(folder, 'better-sqlite3');
  const addon = join(at, 'build', 'Release', 'better_sqlite3.node');
  return { version: readJson(join(at, 'package.json')).version, addon, isBuilt: existsSync(addon) };
}

/** Gives better-sqlite3 its addon: the project's if that is of the same version, since compiling takes minutes. */
function prepareSqlite() {
  const own = sqliteIn(modules);
  if (own.isBuilt) return;
  const built = sqliteIn(join(root, 'node_modules'));
  if (built.isBuilt && built.version === own.version) {
    mkdirSync(dirname(own.addon), { recursive: true });
    copyFileSync(built.addon, own.addon);
  } else {
    run(['npm', 'rebuild', 'better-sqlite3'], { cwd: service });
  }
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
  prepareSqlite();
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

/** Builds the service and runs its tests on what `prepare` installed, and on a server; resolves the exit code. */
export async function testService(args = []) {
  prepareServers();
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
