import { parseArgs } from 'node:util';
import { Stop } from '../command.js';

/** What `keelson swap` was asked for. */
export interface SwapOptions {
  folder: string;
  files: readonly string[];
  yes: boolean;
  dryRun: boolean;
  json: boolean;
  force: boolean;
  undo: boolean;
  rollback: boolean;
  install: boolean;
  check: boolean;
  packages: readonly string[];
}

export const HELP = `Usage: keelson swap [dir] [options]

Finds hand-written timer managers, caches, JSON pools, routers, rate limiters, file loggers and database pools in the
package at dir (default: the current folder) by their file names and exports, and replaces each by a re-export from
keelson. Shows the plan first; installs keelson, then runs tsc and the package's tests, before the swap too.

Options:
  -y, --yes           write without asking
      --dry-run       show the plan; write nothing, run nothing
      --json          print the plan as JSON; write nothing, run nothing
      --file <path>   look at this file too, whatever its name is (repeatable)
      --force         write although files have uncommitted changes, or there is no git repository
      --no-install    leave package.json alone
      --package <s>   install this instead of keelson's own version: a tarball, a folder, a name (repeatable)
      --no-check      run neither tsc nor the tests
      --rollback      take everything back if a check fails that passed before
      --undo          take an earlier swap back, byte for byte

Exit codes: 0 done or nothing to do, 1 a check or the installation failed, 2 wrong usage, 3 refused.`;

const FLAGS = {
  yes: { type: 'boolean', short: 'y' },
  'dry-run': { type: 'boolean' },
  json: { type: 'boolean' },
  file: { type: 'string', multiple: true },
  force: { type: 'boolean' },
  'no-install': { type: 'boolean' },
  package: { type: 'string', multiple: true },
  'no-check': { type: 'boolean' },
  rollback: { type: 'boolean' },
  undo: { type: 'boolean' },
} as const;

function parsed(args: string[]) {
  try {
    return parseArgs({ args, options: FLAGS, allowPositionals: true });
  } catch (error) {
    throw new Stop(2, `${(error as Error).message.split('. ')[0]}. Try: keelson swap --help`);
  }
}

export function swapOptions(args: string[]): SwapOptions {
  const { values, positionals } = parsed(args);
  if (positionals.length > 1) throw new Stop(2, `swap takes one folder, not ${positionals.length}`);
  const { yes = false, json = false, force = false, undo = false, rollback = false } = values;
  const packages = values.package ?? [];
  if (json && yes) throw new Stop(2, '--json only shows the plan: leave --yes out');
  if (undo && json) throw new Stop(2, '--undo has no plan to show as JSON');
  if (packages.length > 0 && values['no-install']) {
    throw new Stop(2, '--package says what to install, --no-install to install nothing: leave one out');
  }
  return {
    folder: positionals[0] ?? '.',
    files: values.file ?? [],
    yes,
    dryRun: values['dry-run'] ?? false,
    json,
    force,
    undo,
    rollback,
    install: !values['no-install'],
    check: !values['no-check'],
    packages,
  };
}
