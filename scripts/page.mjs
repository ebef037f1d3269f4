// Builds the dashboard's page into dist/: node scripts/page.mjs
//
// Browsers run it, so that it is compiled by itself, as ES modules and with the DOM's types.
import { copyFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from './lib.mjs';

const source = join(root, 'lib', 'dashboard', 'page');
const target = join(root, 'dist', 'dashboard', 'page');

run(['node', join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', source]);
for (const name of readdirSync(source)) {
  if (/\.(?:html|css)$/.test(name)) copyFileSync(join(source, name), join(target, name));
}
