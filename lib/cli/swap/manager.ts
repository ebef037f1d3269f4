import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** A project's package manager. */
export interface Manager {
  name: 'npm' | 'pnpm' | 'yarn' | 'bun';
  /** Absolute path of the lock file that it keeps, or would make. */
  lock: string;
}

const LOCKS: readonly (readonly [string, Manager['name']])[] = [
  ['pnpm-lock.yaml', 'pnpm'],
  ['yarn.lock', 'yarn'],
  ['bun.lock', 'bun'],
  ['bun.lockb', 'bun'],
  ['npm-shrinkwrap.json', 'npm'],
  ['package-lock.json', 'npm'],
];

export const LOCK_FILES: ReadonlySet<string> = new Set(LOCKS.map(([file]) => file));

/** The members of package.json that are read here. */
export interface Manifest {
  packageManager?: string;
  scripts?: Record<string, string>;
  dependencies?: Record<string, string>;
  workspaces?: string[] | { packages?: string[] };
}

export function manifestOf(root: string): Manifest | undefined {
  try {
    const value: unknown = JSON.parse(
      readFileSync(join(root, 'package.json'), 'utf8').replace(/^\ufeff/, ''),
    );
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * By the lock file, that of the workspace above if the package has none of its own.
 *
 * @param top the repository's folder: nothing above it is looked at
 */
export function managerOf(root: string, top: string, manifest: Manifest): Manager {
  const named = LOCKS.filter(([, name]) => manifest.packageManager?.startsWith(`${name}@`));
  for (let folder = root; ; folder = dirname(folder)) {
    for (const [file, name] of [...named, ...LOCKS]) {
      const lock = join(folder, file);
      if (existsSync(lock)) return { name, lock };
    }
    if (resolve(folder) === resolve(top) || folder === dirname(folder)) break;
  }
  const [file, name] = named[0] ?? (['package-lock.json', 'npm'] as const);
  return { name, lock: join(root, file) };
}

/** @param specs of packages as the manager takes them: a name with a version, a tarball, a folder */
export function installCommand(
  { name }: Manager,
  root: string,
  specs: readonly string[],
): [string, ...string[]] {
  if (name === 'npm') return ['npm', 'install', '--save', '--no-audit', '--no-fund', ...specs];
  const atTop = name === 'pnpm' && existsSync(join(root, 'pnpm-workspace.yaml'));
  return [name, 'add', ...(atTop ? ['-w'] : []), ...specs];
}

export function testCommand({ name }: Manager): [string, ...string[]] {
  return name === 'bun' ? ['bun', 'run', 'test'] : [name, 'test'];
}

/** A tarball or folder by its absolute path, since the manager runs in the project's folder. */
export function absoluteSpec(spec: string): string {
  const path = resolve(spec);
  return existsSync(path) ? path : spec;
}

/** The patterns of a workspace's packages; undefined where there is no workspace. */
export function workspacesOf(root: string, { workspaces }: Manifest): readonly string[] | undefined {
  if (workspaces !== undefined) return Array.isArray(workspaces) ? workspaces : (workspaces.packages ?? []);
  return existsSync(join(root, 'pnpm-workspace.yaml')) ? ['see pnpm-workspace.yaml'] : undefined;
}
