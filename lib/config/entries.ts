import type { ConfigurationProblem } from '../errors.js';
import {
  type ConfigurationSource,
  type Found,
  lookUp,
  lookUpProfile,
  PROFILE,
  problemsOf,
  type Sources,
} from './lookup.js';
import { SETTINGS } from './schema.js';

/** What a setting is. */
export interface ConfigurationEntry {
  /** `'profile'`, or as `'pool.acquireTimeout'`. */
  readonly path: string;
  /** Undefined only for the profile, where there is none. */
  readonly value: number | string | boolean | undefined;
  /** Who says so. */
  readonly source: ConfigurationSource;
  /** The environment variable that says so, or may. */
  readonly variable: string;
  readonly unit: 'ms' | 'bytes' | '%' | undefined;
  readonly description: string;
  /** What it may be. */
  readonly accepted: string;
}

/** All settings but those of which nobody can tell, and all that is wrong. */
export function entriesOf(sources: Sources): {
  entries: ConfigurationEntry[];
  problems: ConfigurationProblem[];
} {
  const entries: ConfigurationEntry[] = [];
  const add = (
    found: Found | ConfigurationProblem,
    about: Pick<ConfigurationEntry, 'path' | 'unit' | 'description' | 'accepted'>,
  ): void => {
    if (!('accepted' in found)) entries.push({ ...about, ...found } as ConfigurationEntry);
  };
  add(lookUpProfile(sources), {
    path: 'profile',
    unit: undefined,
    description: 'What the defaults are made for',
    accepted: PROFILE.accepted,
  });
  for (const [path, { kind, description }] of SETTINGS) {
    add(lookUp(path, sources), { path, unit: kind.unit, description, accepted: kind.accepted });
  }
  return { entries, problems: problemsOf(sources.environment) };
}
