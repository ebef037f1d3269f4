// Peers that are compiled when they are installed, which takes node-gyp, Python and a C++ compiler. They lie in
// native/ with a lock file of their own, so that `npm ci` of keelson itself compiles nothing and cannot fail by them.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { run } from '../../scripts/lib.mjs';

const FOLDER = fileURLToPath(new URL('native/', import.meta.url));

/** The package `name` of native/, all of which are built the first time that one is asked for. */
export function nativePeer(name) {
  if (!existsSync(`${FOLDER}node_modules/${name}`)) {
    run(['npm', 'ci', '--ignore-scripts=false', '--no-audit', '--no-fund'], { cwd: FOLDER });
  }
  return createRequire(FOLDER)(name);
}
