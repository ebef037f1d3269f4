// Runs the facade's specs on other versions of Node: node scripts/nodes.mjs 20 22 24 26
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from './lib.mjs';
import { runSteps } from './steps.mjs';

/** The lowest version that `engines` allows and the newest that exists: what `npm test` covers. */
export const OLDEST = 20;
export const NEWEST = 26;

/** The binary of the newest Node with this major version, from the packages `node-<platform>-<arch>`. */
export function nodeBinary(major) {
  if (Number(process.versions.node.split('.')[0]) === major) return process.execPath;
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  const name = `node-${platform}-${process.arch}`;
  const folder = join(root, '.cache', 'node', String(major));
  const binary = join(
    folder,
    'node_modules',
    name,
    'bin',
    process.platform === 'win32' ? 'node.exe' : 'node',
  );
  if (!existsSync(binary)) {
    mkdirSync(folder, { recursive: true });
    // Its own manifest keeps npm from installing into a folder above.
    writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
    run(['npm', 'install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', `${name}@${major}`], {
      cwd: folder,
    });
  }
  return binary;
}

/** A step that runs the specs of the facade on Node `major`, with the addon and the facade as built. */
export function specsOn(major) {
  return {
    name: `facade specs on Node ${major}`,
    command: () => [nodeBinary(major), join(root, 'node_modules', 'jest', 'bin', 'jest.js'), '--ci'],
  };
}

if (process.argv[1] === import.meta.filename) {
  const majors = process.argv.slice(2).map(Number);
  process.exitCode = await runSteps((majors.length > 0 ? majors : [OLDEST, NEWEST]).map(specsOn));
}
