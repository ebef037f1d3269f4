import { parseArgs } from 'node:util';
import { PROFILES } from '../../config/lookup.js';
import { Stop } from '../command.js';

/** What `keelson config` was asked for. */
export interface ConfigOptions {
  profile: string | undefined;
  module: string | undefined;
  changed: boolean;
  json: boolean;
  check: boolean;
}

export const HELP = `Usage: keelson config [options]

Prints the defaults of keelson's options as they are with this environment: each setting, its value, where that comes
from, and the environment variable that sets it. Times may be given as 250ms, 5s, 2m, 1h or 1d, sizes as 64MiB or 10KB.

What a service sets by configure() is known here only if --import names the module that calls it; what it gives to a
constructor goes before all of this.

Options:
      --profile <p>    as if KEELSON_PROFILE were this: development, production or test
      --import <path>  load this module of the service first
      --changed        only what is not keelson's own default
      --json           print it as JSON
      --check          exit with 1 also where a variable that begins with KEELSON_ is unknown

Exit codes: 0 all is well, 1 a variable of the environment is wrong or the module did not load, 2 wrong usage.`;

const FLAGS = {
  profile: { type: 'string' },
  import: { type: 'string' },
  changed: { type: 'boolean' },
  json: { type: 'boolean' },
  check: { type: 'boolean' },
} as const;

function parsed(args: string[]) {
  try {
    return parseArgs({ args, options: FLAGS }).values;
  } catch (error) {
    throw new Stop(2, `${(error as Error).message.split('. ')[0]}. Try: keelson config --help`);
  }
}

export function configOptions(args: string[]): ConfigOptions {
  const { profile, import: module, changed = false, json = false, check = false } = parsed(args);
  if (profile !== undefined && !PROFILES.some((known) => known === profile)) {
    throw new Stop(2, `'${profile}' is no profile: they are ${PROFILES.join(', ')}`);
  }
  return { profile, module, changed, json, check };
}
