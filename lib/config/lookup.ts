import type { ConfigurationProblem } from '../errors.js';
import { choice, type Kind } from './kinds.js';
import { SETTINGS, VARIABLES } from './schema.js';
import type { Profile } from './setting.js';
import { redacted } from './text.js';

/** Who says what a setting is, the first that does: `configure()`, the environment, the profile, and keelson itself. */
export type ConfigurationSource = 'configure' | 'environment' | 'profile' | 'default';

/** Where settings are looked up. */
export interface Sources {
  /** By path, checked. */
  readonly configured: ReadonlyMap<string, unknown>;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export interface Found {
  readonly value: unknown;
  readonly source: ConfigurationSource;
  /** The environment variable that says it, or may say it. */
  readonly variable: string;
}

export const PROFILES = ['development', 'production', 'test'] as const;
export const PROFILE: Kind<Profile> = choice(...PROFILES);
export const PROFILE_VARIABLE = 'KEELSON_PROFILE';

/** What a variable of the environment says; an empty one says nothing. */
function said(
  kind: Kind<unknown>,
  variable: string,
  environment: Sources['environment'],
): { value: unknown } | ConfigurationProblem | undefined {
  const text = environment[variable]?.trim();
  if (text === undefined || text === '') return undefined;
  const value = kind.read(text);
  return kind.has(value) ? { value } : { variable, value: redacted(text), accepted: kind.accepted };
}

/** The profile, undefined where there is none: the defaults are the documented ones then. */
export function lookUpProfile({ configured, environment }: Sources): Found | ConfigurationProblem {
  const variable = PROFILE_VARIABLE;
  if (configured.has('profile')) return { value: configured.get('profile'), source: 'configure', variable };
  const own = said(PROFILE, variable, environment);
  if (own !== undefined) return 'accepted' in own ? own : { ...own, source: 'environment', variable };
  // Other words are no mistake: it is not ours.
  const { NODE_ENV } = environment;
  return PROFILE.has(NODE_ENV)
    ? { value: NODE_ENV, source: 'environment', variable: 'NODE_ENV' }
    : { value: undefined, source: 'default', variable };
}

/** What a setting is, and who says so. */
export function lookUp(path: string, sources: Sources): Found | ConfigurationProblem {
  const variable = VARIABLES.get(path)!;
  const { kind, preset, profiles } = SETTINGS.get(path)!;
  if (sources.configured.has(path)) {
    return { value: sources.configured.get(path), source: 'configure', variable };
  }
  const own = said(kind, variable, sources.environment);
  if (own !== undefined) return 'accepted' in own ? own : { ...own, source: 'environment', variable };
  if (Object.keys(profiles).length > 0) {
    const profile = lookUpProfile(sources);
    if ('accepted' in profile) return profile;
    const value = profiles[profile.value as Profile];
    if (value !== undefined) return { value, source: 'profile', variable };
  }
  return { value: typeof preset === 'function' ? preset() : preset, source: 'default', variable };
}

/** All that is wrong with the variables of the environment, whether or not something else goes before them. */
export function problemsOf(environment: Sources['environment']): ConfigurationProblem[] {
  const kinds: [string, Kind<unknown>][] = [[PROFILE_VARIABLE, PROFILE]];
  for (const [path, { kind }] of SETTINGS) kinds.push([VARIABLES.get(path)!, kind]);
  return kinds.flatMap(([variable, kind]) => {
    const own = said(kind, variable, environment);
    return own !== undefined && 'accepted' in own ? [own] : [];
  });
}
