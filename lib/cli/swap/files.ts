import { spawn } from 'node:child_process';
import { existsSync, lstatSync, opendirSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { GIT_FLAGS } from './git.js';

/** Folders that hold nothing that somebody wrote. */
const SKIPPED = new Set(['node_modules', 'dist', 'build', 'coverage', '.git', '.keelson-swap']);

/** A candidate beyond this is generated, or no utility module. */
export const SIZE_LIMIT = 1 << 20;

const SOURCE = /\.[cm]?[jt]s$/;
const TYPINGS = /\.d\.[cm]?ts$/;
export const TEST = /(?:^|\/)(?:__tests__|__mocks__)\/|[.-](?:spec|test)\.[cm]?[jt]sx?$/;

/**
 * The paths of a project's sources and tests, relative to its folder and with `/`: those that git would track where
 * git is at hand, all but well-known folders of products elsewhere. One at a time, so that no project is too large.
 */
export async function* sourcesOf(root: string, inGit: boolean): AsyncGenerator<string> {
  const owner = new Owner(root);
  for await (const path of inGit ? tracked(root) : walk(root)) {
    if (!SOURCE.test(path) || TYPINGS.test(path)) continue;
    if (path.split('/').some((part) => SKIPPED.has(part))) continue;
    if (owner.owns(path) && isOwnFile(root, path)) yield path;
  }
}

/** Also untracked files, but not ignored ones; deleted files are listed until their deletion is committed. */
async function* tracked(root: string): AsyncGenerator<string> {
  const child = spawn('git', [...GIT_FLAGS, 'ls-files', '-co', '--exclude-standard', '-z'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'ignore'],
    windowsHide: true,
  });
  child.stdout.setEncoding('utf8');
  let rest = '';
  for await (const chunk of child.stdout) {
    const parts = (rest + chunk).split('\0');
    rest = parts.pop()!;
    yield* parts;
  }
}

function* walk(root: string, folder = ''): Generator<string> {
  const directory = opendirSync(join(root, folder));
  try {
    for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isFile()) yield path;
      else if (entry.isDirectory() && !SKIPPED.has(entry.name)) yield* walk(root, path);
    }
  } finally {
    directory.closeSync();
  }
}

/** A regular file that is not reached through a link out of the project. */
function isOwnFile(root: string, path: string): boolean {
  const file = join(root, path);
  const stat = lstatSync(file, { throwIfNoEntry: false });
  return stat?.isFile() === true && realpathSync(file).startsWith(realpathSync(root) + sep);
}

/** Tells what belongs to a package from what belongs to another one inside of its folder. */
class Owner {
  readonly #known = new Map<string, boolean>();

  constructor(private readonly root: string) {
    this.#known.set('.', true);
  }

  owns(path: string): boolean {
    const folder = dirname(path);
    let known = this.#known.get(folder);
    if (known === undefined) {
      known = !this.#isPackage(folder) && this.owns(folder);
      this.#known.set(folder, known);
    }
    return known;
  }

  /** A manifest without a name only says which module system a folder has. */
  #isPackage(folder: string): boolean {
    const manifest = join(this.root, folder, 'package.json');
    if (!existsSync(manifest)) return false;
    try {
      return typeof JSON.parse(readFileSync(manifest, 'utf8')).name === 'string';
    } catch {
      return false;
    }
  }
}
