import { spawnSync } from 'node:child_process';

/** A repository's configuration can name a program to run at every look; none of it is run here. */
export const GIT_FLAGS = ['-c', 'core.fsmonitor=false'];

function git(root: string, ...args: string[]): string | undefined {
  const result = spawnSync('git', [...GIT_FLAGS, ...args], {
    cwd: root,
    encoding: 'utf8',
    windowsHide: true,
  });
  return result.status === 0 ? result.stdout : undefined;
}

/** The top folder of the repository that a folder is in; undefined without one, or without git. */
export function repositoryOf(root: string): string | undefined {
  return git(root, 'rev-parse', '--show-toplevel')?.replace(/\r?\n$/, '');
}

/** Which of these files git cannot give back as they are: those with changes, and those that it does not know. */
export function uncommitted(root: string, files: readonly string[]): string[] {
  const literal = files.map((file) => `:(literal)${file}`);
  const status = git(root, 'status', '--porcelain', '-z', '--untracked-files=all', '--', ...literal);
  if (status === undefined) return [...files];
  return status
    .split('\0')
    .filter((entry) => entry !== '')
    .map((entry) => entry.replace(/^.. /, ''));
}
