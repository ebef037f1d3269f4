// What the types of configure() and configuration() accept, and what they refuse.
import {
  type Configuration,
  type ConfigurationEntry,
  ConfigurationError,
  type ConfigurationProblem,
  type ConfigurationSource,
  configuration,
  configure,
  type Profile,
  type SettingPath,
  type SettingValue,
} from 'keelson';

export function set(profile: Profile, isLoud: boolean | undefined): void {
  const given: Configuration = {
    profile,
    pool: { acquireTimeout: 500, leakAfter: Number.POSITIVE_INFINITY },
  };
  configure();
  configure(given);
  configure({ log: { pretty: isLoud, level: 'warn' }, tieredCache: { l3: { timeout: 5 } }, json: undefined });
  configure({
    log: { pretty: 'auto' },
    health: { memory: { heap: { fail: 0.9 } } },
    rateLimiter: { shadow: true },
  });
  const path: SettingPath = 'lifecycle.budgets.requests';
  const onFull: SettingValue<'json.onFull'> = 'wait';
  const entries: ConfigurationEntry[] = configuration();
  const sources: ConfigurationSource[] = entries.map(({ source }) => source);
  const problems: readonly ConfigurationProblem[] = new ConfigurationError([
    { variable: 'KEELSON_POOL_MAX', value: 'x', accepted: 'a number' },
  ]).problems;
  void [path, onFull, sources, problems];

  // @ts-expect-error no profile
  configure({ profile: 'staging' });
  // @ts-expect-error no number
  configure({ pool: { acquireTimeout: '5s' } });
  // @ts-expect-error misspelt
  configure({ pool: { aquireTimeout: 5 } });
  // @ts-expect-error no utility
  configure({ pools: {} });
  // @ts-expect-error no level
  configure({ log: { level: 'loud' } });
  // @ts-expect-error no setting
  const wrong: SettingPath = 'pool.color';
  void wrong;
}
