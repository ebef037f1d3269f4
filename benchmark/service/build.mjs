import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from '../../scripts/lib.mjs';
import { service } from '../../scripts/service.mjs';
import { buildExample } from '../harness/server.mjs';

const PLAIN = fileURLToPath(new URL('plain', import.meta.url));
const AT = join(root, '.cache', 'benchmark', 'plain-service');
const SHARED = ['package.json', 'tsconfig.json', 'public'];

/** Where each variant's entry lies when it is built. */
export const ENTRIES = {
  keelson: join(service, 'dist', 'main.js'),
  plain: join(AT, 'dist', 'main.js'),
};

/** Builds the example service twice: as it is, and with other modules under src/lib. All else is the same sources. */
export function buildVariants() {
  buildExample();
  rmSync(AT, { recursive: true, force: true });
  mkdirSync(AT, { recursive: true });
  for (const name of [...SHARED, 'src']) cpSync(join(service, name), join(AT, name), { recursive: true });
  cpSync(PLAIN, join(AT, 'src'), { recursive: true });
  symlinkSync(join(service, 'node_modules'), join(AT, 'node_modules'), 'junction');
  execFileSync(process.execPath, [join(AT, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', '.'], {
    cwd: AT,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
}
