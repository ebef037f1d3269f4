import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Use } from '../systemMemory.js';

/** What a version of cgroups calls its files. */
interface Layout {
  readonly folder: string;
  readonly used: string;
  readonly limits: readonly string[];
  /** Of memory.stat: files that the system would give back. */
  readonly reclaimable: string;
}

const V1: Layout = {
  folder: 'memory',
  used: 'memory.usage_in_bytes',
  limits: ['memory.limit_in_bytes'],
  reclaimable: 'total_inactive_file',
};
const V2: Layout = {
  folder: '',
  used: 'memory.current',
  limits: ['memory.max', 'memory.high'],
  reclaimable: 'inactive_file',
};
/** From here on a number stands for no limit: v1 has one near 2^63. */
const NO_LIMIT = 2 ** 60;

/**
 * The memory of this process' cgroup, or of the one around it that is nearer to its limit; undefined where none has a limit.
 *
 * @param root where cgroups are mounted
 * @param self the file that says in which ones this process is
 */
export function cgroupUse(root = '/sys/fs/cgroup', self = '/proc/self/cgroup'): Use | undefined {
  const lines = (textOf(self) ?? '').split('\n').map((line) => line.split(':'));
  const v1 = lines.find(([, controllers]) => controllers?.split(',').includes('memory'));
  const v2 = lines.find(([id, controllers]) => id === '0' && controllers === '');
  let tightest: Use | undefined;
  for (const [layout, line] of [
    [V1, v1],
    [V2, v2],
  ] as const) {
    if (line === undefined) continue;
    for (const folder of foldersOf(join(root, layout.folder), line.slice(2).join(':'))) {
      const use = useOf(folder, layout);
      if (use === undefined) continue;
      if (tightest === undefined || use.used / use.limit > tightest.used / tightest.limit) tightest = use;
    }
  }
  return tightest;
}

/** The folders of a group and of those around it. Within a container the path may lead nowhere, and the root is the group. */
function foldersOf(root: string, path: string): string[] {
  const parts = path.split('/').filter((part) => part !== '' && part !== '..');
  return [root, ...parts.map((_, last) => join(root, ...parts.slice(0, last + 1)))];
}

function useOf(folder: string, { used, limits, reclaimable }: Layout): Use | undefined {
  const limit = Math.min(...limits.map((name) => numberOf(textOf(join(folder, name)))));
  const total = numberOf(textOf(join(folder, used)));
  if (!(limit > 0 && limit < NO_LIMIT && total < NO_LIMIT)) return undefined;
  const stat = new RegExp(`^${reclaimable} (\\d+)$`, 'm').exec(textOf(join(folder, 'memory.stat')) ?? '');
  return { used: Math.max(0, total - Number(stat?.[1] ?? 0)), limit };
}

/** Infinity for a file that is not there, and for `max`. */
function numberOf(text: string | undefined): number {
  return text !== undefined && /^\d+\s*$/.test(text) ? Number(text) : Number.POSITIVE_INFINITY;
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}
