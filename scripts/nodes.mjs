// Runs the facade's specs on other versions of Node: node scripts/nodes.mjs 20 22 24 26
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { again } from './again.mjs';
import { root, run } from './lib.mjs';
import { setUpServers } from './servers.mjs';
import { runTests } from './steps.mjs';

/** What `npm test` covers beside the Node it runs on: the floor of `engines`, and the newest there is. */
export const OLDEST = '20.0.0';
export const NEWEST = '26';

const installed = process.versions.node;

/** Whether the Node that runs this is of `version`, a whole version or a major one. */
const isInstalled = (version) => version === installed || version === installed.split('.')[0];

/** The binary of the newest Node of `version`, from the packages `node-<platform>-<arch>`. */
export function nodeBinary(version) {
  if (isInstalled(version)) return process.execPath;
  const windows = process.platform === 'win32';
  const name = `node-${windows ? 'win' : process.platform}-${process.arch}`;
  const folder = join(root, '.cache', 'node', version);
  const binary = join(folder, 'node_modules', name, 'bin', windows ? 'node.exe' : 'node');
  if (!existsSync(binary)) {
    mkdirSync(folder, { recursive: true });
    // Its own manifest keeps npm from installing into a folder above.
    writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
    const flags = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund'];
    run(['npm', 'install', ...flags, `${name}@${version}`], { cwd: folder });
  }
  return binary;
}

/** A step that runs the specs of the facade, with the addon and the facade as built. */
function specs(name, version) {
  const jest = join(root, 'node_modules', 'jest', 'bin', 'jest.js');
  const command = () => [nodeBinary(version), jest, '--ci'];
  return { name, command, again: again(command) };
}

/** The specs on the Node that runs this. What goes by chance has a minute there, and seconds elsewhere. */
export const facadeSpecs = () => ({ ...specs('facade specs', installed), env: { KEELSON_MINUTE: '1' } });

/** The specs on another Node. */
export const specsOn = (version) => specs(`facade specs on Node ${version}`, version);

/** The oldest and the newest Node, unless the installed one is it, whose specs run anyway. */
export function specsOnBounds() {
  return [OLDEST, NEWEST].filter((version) => !isInstalled(version)).map(specsOn);
}

if (process.argv[1] === import.meta.filename)
  process.exitCode = await runTests([...setUpServers(), ...process.argv.slice(2).map(specsOn)]);
