// What has to be done before anything else can run.
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from './lib.mjs';

/** Whether node_modules is what the lock file in `folder` asks for: npm writes a lock file of its own into it. */
function isInstalled(folder) {
  const done = join(folder, 'node_modules', '.package-lock.json');
  return existsSync(done) && statSync(done).mtimeMs >= statSync(join(folder, 'package-lock.json')).mtimeMs;
}

/** Where node-gyp, which compiles better-sqlite3, finds the headers of this very Node without fetching them. */
function headersOfNode() {
  const prefix = dirname(dirname(process.execPath));
  return existsSync(join(prefix, 'include', 'node', 'node_api.h')) ? { npm_config_nodedir: prefix } : {};
}

/** The step that installs the dependencies of `folder`, if it is due. */
export function install(name, folder) {
  if (isInstalled(folder)) return [];
  const command = ['npm', 'ci', '--no-audit', '--no-fund'];
  return [{ name, command, cwd: folder, env: headersOfNode(), essential: true }];
}

/** The steps that make a clone usable. */
export function setUp() {
  return [...install('install', root), { name: 'build', command: ['npm', 'run', 'build'], essential: true }];
}
