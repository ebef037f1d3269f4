import {
  type ConfigurationEntry,
  ConfigurationError,
  configuration,
  configure,
  DatabaseConnectionPool,
  InvalidArgumentError,
  type Profile,
  type SettingPath,
} from 'keelson';
import { EFFECTIVE, nested, useCleanSettings } from './support/settings';

useCleanSettings();

const { settingsOf } = require('../dist/lifecycle/options.js') as typeof import('../lib/lifecycle/options');

const PATHS = Object.keys(EFFECTIVE) as SettingPath[];
const entryOf = (path: string) => configuration().find((entry) => entry.path === path)!;
const effective = (path: SettingPath) => EFFECTIVE[path]();

/** The ends of what a setting says that it accepts, or all of it. */
function acceptedBy({ accepted }: ConfigurationEntry): unknown[] {
  const [, least, most] = /from (\S+?)(?: to |, or )(\S+)$/.exec(accepted) ?? [];
  if (least !== undefined) return [Number(least), Number(most)];
  return accepted.match(/true|false|(?<=')[^', ]+(?=')/g)!.map((word) => {
    return word === 'true' || (word === 'false' ? false : word);
  });
}

/** The error that a function throws. */
function thrownBy(run: () => unknown): ConfigurationError & InvalidArgumentError {
  try {
    run();
  } catch (error) {
    return error as ConfigurationError & InvalidArgumentError;
  }
  throw new Error('It did not throw');
}

describe('every setting', () => {
  test('is one that a utility asks for', () => {
    expect(configuration().map(({ path }) => path)).toEqual(['profile', ...PATHS]);
  });

  test('has a variable of its own, named by its path', () => {
    const variables = configuration().map(({ variable }) => variable);
    expect(new Set(variables).size).toBe(variables.length);
    expect(entryOf('rateLimiter.storeTimeout').variable).toBe('KEELSON_RATE_LIMITER_STORE_TIMEOUT');
    expect(entryOf('tieredCache.l3.staleness').variable).toBe('KEELSON_TIERED_CACHE_L3_STALENESS');
    expect(entryOf('profile').variable).toBe('KEELSON_PROFILE');
  });

  test.each(PATHS)('%s reaches its utility, with all that it says it accepts', (path) => {
    const { variable, value, source } = entryOf(path);
    expect(source).toBe('default');
    expect(effective(path)).toBe(value);
    for (const accepted of acceptedBy(entryOf(path))) {
      process.env[variable] = String(accepted);
      expect(entryOf(path)).toMatchObject({ value: accepted, source: 'environment' });
      expect(effective(path)).toBe(accepted);
      delete process.env[variable];
      configure(nested(path, accepted));
      expect(entryOf(path)).toMatchObject({ value: accepted, source: 'configure' });
      expect(effective(path)).toBe(accepted);
      configure();
    }
    expect(effective(path)).toBe(value);
  });

  test.each(PATHS)('%s accepts nothing else', (path) => {
    const { variable, accepted } = entryOf(path);
    const [least, most] = acceptedBy(entryOf(path));
    const wrong = [typeof least === 'number' ? least - 1 : 'x', typeof most === 'number' ? most * 2 : 'True'];
    for (const value of wrong.filter((one) => one !== most)) {
      const inCode = thrownBy(() => configure(nested(path, value)));
      expect(inCode).toBeInstanceOf(InvalidArgumentError);
      expect(inCode.message).toContain(`"${path}" must be ${accepted}, but it is `);
      process.env[variable] = String(value);
      const outside = thrownBy(() => effective(path));
      expect(outside).toBeInstanceOf(ConfigurationError);
      expect(outside.message).toBe(`${variable} must be ${accepted}, but it is '${value}'`);
      delete process.env[variable];
    }
  });
});

describe('who goes first', () => {
  const layers = { option: 1, configure: 2, environment: 3, profile: 5_000, default: 0 };
  const sets = Array.from({ length: 16 }, (_, bits) => [8, 4, 2, 1].map((bit) => (bits & bit) > 0));

  test.each(sets)(
    'option %p, configure() %p, environment %p, profile %p',
    (option, call, variable, profile) => {
      configure({
        ...(profile && { profile: 'production' }),
        ...(call && { lifecycle: { readinessDelay: layers.configure } }),
      });
      if (variable) process.env.KEELSON_LIFECYCLE_READINESS_DELAY = String(layers.environment);
      const [first] = [
        option && 'option',
        call && 'configure',
        variable && 'environment',
        profile && 'profile',
      ]
        .filter(Boolean)
        .concat('default') as [keyof typeof layers];
      const given = option ? { readinessDelay: layers.option } : {};
      expect(settingsOf(given).readinessDelay).toBe(layers[first]);
      if (!option) {
        expect(entryOf('lifecycle.readinessDelay')).toMatchObject({ source: first, value: layers[first] });
      }
    },
  );

  test('what code says of one bound holds a default of the other', () => {
    configure({ database: { minConnections: 8 } });
    expect(() => new DatabaseConnectionPool({ database: 'd', maxConnections: 3 })).not.toThrow();
  });

  test('SQLite has one connection whatever the default of other drivers', () => {
    configure({ database: { maxConnections: 8 } });
    expect(() => new DatabaseConnectionPool({ driver: 'sqlite', database: ':memory:' })).not.toThrow();
  });
});

describe('the profile', () => {
  const cases: [Profile | undefined, string | undefined, string | undefined, Profile | undefined, string][] =
    [
      [undefined, undefined, undefined, undefined, 'default'],
      [undefined, undefined, 'production', 'production', 'environment'],
      [undefined, undefined, 'test', 'test', 'environment'],
      [undefined, undefined, 'development', 'development', 'environment'],
      [undefined, undefined, 'staging', undefined, 'default'],
      [undefined, '', 'test', 'test', 'environment'],
      [undefined, 'development', 'production', 'development', 'environment'],
      ['test', 'development', 'production', 'test', 'configure'],
    ];

  test.each(cases)('configure %p, KEELSON_PROFILE %p, NODE_ENV %p: %p', (call, own, node, value, source) => {
    if (own !== undefined) process.env.KEELSON_PROFILE = own;
    if (node !== undefined) process.env.NODE_ENV = node;
    configure(call === undefined ? {} : { profile: call });
    expect(entryOf('profile')).toMatchObject({ value, source });
  });

  test('changes these defaults, and no others', () => {
    const changed = (profile: Profile) => {
      configure({ profile });
      const found = configuration().filter(({ source }) => source === 'profile');
      for (const { path, value } of found) expect(effective(path as SettingPath)).toBe(value);
      return Object.fromEntries(found.map(({ path, value }) => [path, value]));
    };
    expect(changed('production')).toEqual({ 'lifecycle.readinessDelay': 5_000 });
    expect(changed('test')).toEqual({ 'health.checks.cache': 0 });
    expect(changed('development')).toEqual({
      'timer.captureStacks': true,
      'pool.leakAfter': 60_000,
      'log.pretty': 'auto',
      'lifecycle.timeout': 5_000,
    });
  });
});

describe('a variable', () => {
  test.each([
    ['KEELSON_POOL_ACQUIRE_TIMEOUT', 'pool.acquireTimeout', ' 250 ', 250],
    ['KEELSON_POOL_ACQUIRE_TIMEOUT', 'pool.acquireTimeout', '250ms', 250],
    ['KEELSON_POOL_ACQUIRE_TIMEOUT', 'pool.acquireTimeout', '1.5s', 1_500],
    ['KEELSON_POOL_ACQUIRE_TIMEOUT', 'pool.acquireTimeout', '1.1m', 66_000],
    ['KEELSON_POOL_ACQUIRE_TIMEOUT', 'pool.acquireTimeout', '2 h', 7_200_000],
    ['KEELSON_POOL_ACQUIRE_TIMEOUT', 'pool.acquireTimeout', '1d', 86_400_000],
    ['KEELSON_POOL_ACQUIRE_TIMEOUT', 'pool.acquireTimeout', '', 10_000],
    ['KEELSON_SHARED_CACHE_MAX_BYTES', 'sharedCache.maxBytes', '2MiB', 2 * 2 ** 20],
    ['KEELSON_SHARED_CACHE_MAX_BYTES', 'sharedCache.maxBytes', '2MB', 2_000_000],
    ['KEELSON_SHARED_CACHE_MAX_BYTES', 'sharedCache.maxBytes', '1GiB', 2 ** 30],
    ['KEELSON_RATE_LIMITER_SHADOW', 'rateLimiter.shadow', '1', true],
    ['KEELSON_RATE_LIMITER_SHADOW', 'rateLimiter.shadow', '0', false],
  ] as const)('%s, for %s: %p is %p', (variable, path, text, value) => {
    process.env[variable] = text;
    expect(effective(path)).toBe(value);
  });

  test.each([
    ...['5 weeks', '5MiB', '1e3', '0x10', '1,000', 'ms', '-1', '1.5', '1 2'],
    ...['infinity', 'NaN', 'constructor', '5constructor'],
  ])('%p is no time', (text) => {
    process.env.KEELSON_POOL_ACQUIRE_TIMEOUT = text;
    const error = thrownBy(() => effective('pool.acquireTimeout'));
    expect(error).toMatchObject({
      name: 'ConfigurationError',
      code: 'ERR_KEELSON_CONFIGURATION',
      variable: 'KEELSON_POOL_ACQUIRE_TIMEOUT',
      problems: [{ variable: 'KEELSON_POOL_ACQUIRE_TIMEOUT', value: text }],
    });
  });

  test('that is wrong is told of with all others, and stops who asks for it alone', () => {
    process.env.KEELSON_POOL_MAX = 'ten';
    process.env.KEELSON_LOG_LEVEL = 'loud';
    process.env.KEELSON_PROFILE = 'prod';
    const variables = ['KEELSON_PROFILE', 'KEELSON_POOL_MAX', 'KEELSON_LOG_LEVEL'];
    for (const run of [() => effective('pool.max'), () => configure(), configuration]) {
      const error = thrownBy(run);
      expect(error.problems.map(({ variable }) => variable)).toEqual(variables);
      expect(variables.every((variable) => error.message.includes(variable))).toBe(true);
      expect(error.variable).toBe(variables[0]);
    }
    expect(effective('cache.ttl')).toBe(300_000);
    expect(() => effective('lifecycle.timeout')).toThrow("KEELSON_PROFILE must be one of 'development'");
  });

  test.each(['redis://user:pa/ss@host:6379', 'redis://:p@ss@host', 'postgres://user:p ss@host/db and more'])(
    '%p does not show its password',
    (text) => {
      process.env.KEELSON_REDIS_CONNECT_TIMEOUT = text;
      const { message, problems } = thrownBy(() => configure());
      expect(message + JSON.stringify(problems)).not.toMatch(/pa?.?ss|user/);
      expect(message).toContain('://[Redacted]@host');
    },
  );

  test('that is endless is cut', () => {
    process.env.KEELSON_LOG_LEVEL = 'x'.repeat(10_000);
    expect(thrownBy(() => configure()).message.length).toBeLessThan(300);
  });
});

describe('configure()', () => {
  test.each<[unknown, string]>([
    [
      { pool: { aquireTimeout: 5 } },
      '"pool.aquireTimeout" is not a setting; did you mean "pool.acquireTimeout"?',
    ],
    [{ profiel: 'test' }, '"profiel" is not a setting; did you mean "profile"?'],
    [{ pol: {} }, '"pol" is not a setting; did you mean "pool"?'],
    [{ nothingLikeIt: 1 }, '"nothingLikeIt" is not a setting; "npx keelson config" lists them'],
    [{ pool: { constructor: 1 } }, '"pool.constructor" is not a setting'],
    [{ profile: 'prod' }, `"profile" must be one of 'development', 'production', 'test', but it is 'prod'`],
    [{ pool: 5 }, '"pool" must be an object, but it is 5'],
    [{ pool: null }, '"pool" must be an object, but it is null'],
    [{ pool: { max: null } }, '"pool.max" must be a whole number from 1 to 65536, but it is null'],
    [{ pool: { max: '5' } }, `"pool.max" must be a whole number from 1 to 65536, but it is '5'`],
    [
      { pool: { acquireTimeout: '5s' } },
      '"pool.acquireTimeout" must be whole milliseconds from 0, or Infinity',
    ],
    [{ log: { pretty: 1 } }, `"log.pretty" must be true or false or 'auto', but it is 1`],
    [null, '"configuration" must be an object, but it is null'],
    [[], '"configuration" must be an object'],
  ])('refuses %j', (given, message) => {
    configure({ pool: { max: 3 } });
    const error = thrownBy(() => configure(given as any));
    expect(error).toBeInstanceOf(InvalidArgumentError);
    expect(error.message).toContain(message);
    expect(effective('pool.max')).toBe(3);
  });

  test('takes nothing where a later part of it is wrong, or the environment is', () => {
    configure({ pool: { max: 3 } });
    expect(() => configure({ pool: { max: 4 }, log: { level: 'loud' as 'info' } })).toThrow('"log.level"');
    process.env.KEELSON_LOG_LEVEL = 'loud';
    expect(() => configure({ pool: { max: 4 } })).toThrow(ConfigurationError);
    delete process.env.KEELSON_LOG_LEVEL;
    expect(effective('pool.max')).toBe(3);
  });

  test('takes the place of what an earlier call said, and reads its object once', () => {
    const given = { pool: { max: 3, min: 2 }, log: { level: undefined } };
    configure(given);
    given.pool.max = 7;
    expect([effective('pool.max'), effective('pool.min'), effective('log.level')]).toEqual([3, 2, 'trace']);
    configure({ pool: { max: 4 } });
    expect([effective('pool.max'), effective('pool.min')]).toEqual([4, 0]);
  });

  test('leaves what is there already as it is', () => {
    configure({ lifecycle: { timeout: 3 } });
    const settings = settingsOf({});
    configure({ lifecycle: { timeout: 4 } });
    expect([settings.timeout, settingsOf({}).timeout]).toEqual([3, 4]);
  });
});
