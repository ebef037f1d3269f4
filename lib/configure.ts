import { sources, take } from './config/current.js';
import { type ConfigurationEntry, entriesOf } from './config/entries.js';
import { PROFILE, problemsOf } from './config/lookup.js';
import { type NestedSettings, SETTINGS } from './config/schema.js';
import type { Profile } from './config/setting.js';
import { nearest } from './config/text.js';
import { warnOfUnknownVariables } from './config/unknown.js';
import { ConfigurationError, InvalidArgumentError } from './errors.js';
import { invalid } from './validate.js';

/** Defaults of the utilities' options, by the utility: `{ profile: 'production', pool: { acquireTimeout: 500 } }`. */
export interface Configuration extends NestedSettings {
  /** @default KEELSON_PROFILE, or NODE_ENV where that is the name of a profile, else none */
  profile?: Profile | undefined;
}

/**
 * Sets defaults of options for this process: an option that a constructor is given goes before them, and they before
 * environment variables (`KEELSON_POOL_ACQUIRE_TIMEOUT`) and the profile. To be called once, first of all: it holds for what is
 * made from then on, also in worker threads that are started from then on, and takes the place of what an earlier call said.
 *
 * It checks all of keelson's environment variables too, and warns of those that have its prefix and are unknown.
 *
 * @throws InvalidArgumentError for a setting that is unknown, of the wrong type or out of range; nothing is changed then
 * @throws ConfigurationError for environment variables that are; likewise
 */
export function configure(configuration: Configuration = {}): void {
  const values = new Map<string, unknown>();
  collect('', configuration, values);
  const problems = problemsOf(process.env);
  if (problems.length > 0) throw new ConfigurationError(problems);
  take(values);
  warnOfUnknownVariables(process.env);
}

/**
 * All settings as they are for what is made next, and where each comes from. An option that a constructor is given is not here.
 *
 * @throws ConfigurationError for environment variables of the wrong type or out of range
 */
export function configuration(): ConfigurationEntry[] {
  const { entries, problems } = entriesOf(sources());
  if (problems.length > 0) throw new ConfigurationError(problems);
  return entries;
}

/** Puts what is in an object of settings, or in a part of it, into `values` by path. */
function collect(place: string, given: unknown, values: Map<string, unknown>): void {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    invalid(place || 'configuration', 'an object', given);
  }
  for (const [name, value] of Object.entries(given)) {
    const path = place === '' ? name : `${place}.${name}`;
    const kind = path === 'profile' ? PROFILE : SETTINGS.get(path)?.kind;
    if (kind === undefined && !isGroup(path)) refuse(path);
    if (value === undefined) continue;
    if (kind === undefined) collect(path, value, values);
    else values.set(path, kind.has(value) ? value : invalid(path, kind.accepted, value));
  }
}

function isGroup(path: string): boolean {
  for (const known of SETTINGS.keys()) if (known.startsWith(`${path}.`)) return true;
  return false;
}

function refuse(path: string): never {
  const groups = [...SETTINGS.keys()].map((known) => known.split('.')[0]!);
  const meant = nearest(path, ['profile', ...groups, ...SETTINGS.keys()]);
  const hint = meant === undefined ? '"npx keelson config" lists them' : `did you mean "${meant}"?`;
  throw new InvalidArgumentError(`"${path}" is not a setting; ${hint}`);
}
