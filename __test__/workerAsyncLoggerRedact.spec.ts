import { readFileSync } from 'node:fs';
import { runInNewContext } from 'node:vm';
import type { WorkerAsyncLogger, WorkerAsyncLoggerOptions } from 'keelson';
import { useLogs } from './support/logs';

const place = useLogs();

/** What is in the file, as text and as entries, of what is logged. */
async function logged(
  options: WorkerAsyncLoggerOptions,
  log: (logger: WorkerAsyncLogger) => void,
): Promise<{ text: string; metadata: any[] }> {
  const { open, file, entries } = place();
  const logger = open(options);
  log(logger);
  await logger.flush();
  return { text: readFileSync(file, 'utf8'), metadata: entries().map(({ metadata }) => metadata) };
}

class Account {
  name = 'n';
  toJSON() {
    return { name: this.name, password: 'secret' };
  }
}

class User {
  password = 'secret';
  id = 1;
}

test('what is redacted is nowhere in the line, whoever put it there', async () => {
  const { open, file } = place();
  const logger = open({
    redact: ['password', '*.password', 'list[*].token', 'userId'],
    mixin: () => ({ password: 'secret' }),
    serializers: { made: () => ({ password: 'secret', fine: 1 }) },
  });
  logger.info('m', { account: new Account(), list: [{ token: 'secret' }], made: 1, userId: 'secret', n: 1n });
  await logger.flush();
  const text = readFileSync(file, 'utf8');
  expect(text).not.toContain('secret');
  const entry = JSON.parse(text);
  expect(entry.metadata).toEqual({
    password: '[Redacted]',
    account: { name: 'n', password: '[Redacted]' },
    list: [{ token: '[Redacted]' }],
    made: { password: '[Redacted]', fine: 1 },
    userId: '[Redacted]',
    n: '[BigInt: 1]',
  });
  expect(entry.userId).toBe('[Redacted]');
});

test('a censor gets the value and its path; members can be removed', async () => {
  const seen: unknown[] = [];
  const censored = await logged({ redact: { paths: ['a.b'], censor: (...args) => seen.push(args) } }, (own) =>
    own.info('m', { a: { b: 5 } }),
  );
  const removed = await logged({ redact: { paths: ['a.b'], remove: true } }, (own) =>
    own.info('m', { a: { b: 5, c: 6 } }),
  );
  expect([censored.metadata, removed.metadata]).toEqual([[{ a: { b: 1 } }], [{ a: { c: 6 } }]]);
  expect(seen).toEqual([[5, ['a', 'b']]]);
});

/** Ways for a member `password` to get into metadata. */
const WAYS: Record<string, () => any> = {
  'a class': () => new User(),
  'an object without a prototype': () => Object.assign(Object.create(null), { password: 'secret' }),
  'another realm': () => runInNewContext('({ password: "secret" })'),
  'a class of another realm': () => runInNewContext('class A { password = "secret" }; new A()'),
  'a Map': () => new Map([['password', 'secret']]),
  'a Map with other keys too': () =>
    new Map<any, any>([
      ['password', 'secret'],
      [1, 2],
    ]),
  'an error': () => Object.assign(new Error('m'), { password: 'secret' }),
  'an error of another realm': () => runInNewContext('Object.assign(new Error("m"), { password: "secret" })'),
  toJSON: () => new Account(),
  'toJSON that does not enumerate': () =>
    Object.defineProperty({}, 'toJSON', { value: () => ({ password: 'secret' }) }),
  'toJSON of a date': () =>
    new (class extends Date {
      override toJSON(): any {
        return { password: 'secret' };
      }
    })(),
  'toJSON of a list': () => Object.assign([], { toJSON: () => ({ password: 'secret' }) }),
  'a subclass of Array with toJSON': () =>
    new (class extends Array {
      toJSON() {
        return { password: 'secret' };
      }
    })(),
  'a getter': () => ({
    get password() {
      return 'secret';
    },
  }),
  'a getter that changes its mind': () => {
    let reads = 0;
    return {
      get password() {
        reads++;
        return reads % 2 ? undefined : 'secret';
      },
    };
  },
  'a proxy': () => new Proxy({ password: 'secret' }, {}),
  'a proxy that changes its mind': () => {
    let looks = 0;
    const keys = { ownKeys: () => (looks++ % 2 ? [] : ['password']) };
    return new Proxy({ password: 'secret' }, keys);
  },
};

test.each(Object.keys(WAYS))('%s gets nothing past redaction', async (way) => {
  const { text, metadata } = await logged({ redact: ['password', 'inner.password'] }, (logger) => {
    logger.info('alone', WAYS[way]!());
    logger.info('as a member', { inner: WAYS[way]!() });
    logger.child({ bound: 1 }).info('of a child', WAYS[way]!());
    logger.child({ inner: WAYS[way]!() }).info('in bindings');
  });
  expect(text).not.toContain('secret');
  expect(metadata).toHaveLength(4);
  if (!way.endsWith('mind')) expect(metadata[1].inner.password).toBe('[Redacted]');
});

/** A getter whose values are of other kinds each time. */
test('what a getter gives is looked at as it is written', async () => {
  const values = () => [{ password: 'secret' }, { toJSON: () => ({ password: 'secret' }) }, new User()];
  for (let offset = 0; offset < 3; offset++) {
    let reads = offset;
    const changing = {
      get user() {
        return values()[reads++ % 3];
      },
    };
    const { text } = await logged({ redact: ['user.password'] }, (logger) => {
      for (let n = 0; n < 6; n++) logger.info('m', changing);
    });
    expect(text).not.toContain('secret');
  }
});

test('a member of the lifted ones that does not enumerate stays where it is', async () => {
  const hidden = Object.defineProperty({ a: 1 }, 'userId', { value: 'secret', enumerable: false });
  const whole = await logged({ timestamp: () => 'then', redact: ['userId'] }, (logger) =>
    logger.info('m', hidden),
  );
  const native = await logged({ redact: ['userId'] }, (logger) => logger.info('m', hidden));
  expect(whole.text + native.text).not.toContain('secret');
});

test('serializers reach into classes and other realms too', async () => {
  const { text, metadata } = await logged({ serializers: { password: () => 'hidden' } }, (logger) => {
    logger.info('m', new User());
    logger.info('m', runInNewContext('({ password: "secret" })'));
    logger.info('m', new Map([['password', 'secret']]));
    logger.child({ password: 'secret' }).info('m', new User());
  });
  expect(text).not.toContain('secret');
  expect(metadata.map(({ password }) => password)).toEqual(Array(4).fill('hidden'));
});
