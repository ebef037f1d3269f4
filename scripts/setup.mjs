// What has to be done before anything else can run.
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './lib.mjs';

/** Whether node_modules is what the lock file in `folder` asks for: npm writes a lock file of its own into it. */
function isInstalled(folder) {
  const done = join(folder, 'node_modules', '.package-lock.json');
  return existsSync(done) && statSync(done).mtimeMs >= statSync(join(folder, 'package-lock.json')).mtimeMs;
}

/** The step that installs the dependencies of `folder`, if it is due. */
export function install(name, folder) {
  return isInstalled(folder)
    ? []
    : [{ name, command: ['npm', 'ci', '--no-audit', '--no-fund'], cwd: folder, essential: true }];
}

/** The steps that make a clone usable. */
export function setUp() {
  return [...install('install', root), { name: 'build', command: ['npm', 'run', 'build'], essential: true }];
}
