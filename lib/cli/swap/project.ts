import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { Stop } from '../command.js';
import { repositoryOf } from './git.js';
import { type Manager, type Manifest, managerOf, manifestOf, workspacesOf } from './manager.js';

/** The package whose modules are swapped. */
export interface Project {
  /** Absolute, with links resolved. */
  root: string;
  manifest: Manifest;
  manager: Manager;
  inGit: boolean;
  /** What the user may want to know before anything is done. */
  hints: string[];
}

/** @throws Stop where there is no package */
export function projectAt(folder: string): Project {
  const given = resolve(folder);
  if (!existsSync(given)) throw new Stop(2, `There is no folder ${given}`);
  const root = realpathSync(given);
  const manifest = manifestOf(root);
  if (manifest === undefined) {
    throw new Stop(
      2,
      `${root} is no package: it has no package.json that can be read. Name the folder that has`,
    );
  }
  const repository = repositoryOf(root);
  const manager = managerOf(root, repository === undefined ? root : realpathSync(repository), manifest);
  const workspaces = workspacesOf(root, manifest);
  const hints =
    workspaces === undefined
      ? []
      : [`This is a workspace (${workspaces.join(', ')}): run keelson swap in each of its packages too.`];
  return { root, manifest, manager, inGit: repository !== undefined, hints };
}

/** The given files as the search names them: relative to the project. */
export function relativeFiles(root: string, files: readonly string[]): Set<string> {
  const paths = files.map((file) => {
    const path = [resolve(root, file), resolve(file)].find(existsSync);
    if (path === undefined) throw new Stop(2, `There is no file ${file}`);
    const inside = relative(root, realpathSync(path));
    if (inside.startsWith('..')) throw new Stop(2, `${file} is not in ${root}`);
    return inside.split(sep).join('/');
  });
  return new Set(paths);
}

/** Whether the package depends on keelson and has it installed. */
export function hasKeelson({ root, manifest }: Project): boolean {
  return manifest.dependencies?.keelson !== undefined && existsSync(join(root, 'node_modules', 'keelson'));
}

/** The version of keelson that runs here, exactly: it is the one whose exports were compared. */
export function ownSpec(): string {
  const file = join(__dirname, '..', '..', '..', 'package.json');
  return `keelson@${(JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version}`;
}
