import { certificate, certificateFiles } from './support/certificate';
import { Load } from './support/limiterLoad';
import { connections, LONG, PATIENCE, SLACK, times, useLimiters, useRedis } from './support/redis';
import { eventually } from './support/server';
import type { RedisServer } from './support/servers';

const QUOTA = 10;
const make = useLimiters();

/** Errors of the store that a limiter tells of. */
function storeErrors(limiter: ReturnType<typeof make>): Error[] {
  const errors: Error[] = [];
  limiter.on('redis-error', (error: Error) => errors.push(error));
  return errors;
}

/** A message and those of what caused it. */
function story(error: any): string {
  return error === undefined ? '' : `${error.message} ${story(error.cause)}`;
}

/** The server decides, and admits what it may. */
async function expectServed(server: RedisServer, limiter: ReturnType<typeof make>): Promise<void> {
  const load = new Load(limiter);
  await times(3 * QUOTA, () => load.ask());
  // One check at a time goes over a connection of Node's own, which has to log in as well.
  await eventually(async () => {
    await load.ask();
    return (await connections(server)) === 2;
  });
  await load.ask();
  expect(load.sources).toEqual(['redis']);
  expect(load.admitted()).toBe(QUOTA);
}

/** The local limiter decides, each time at once, and tells why. */
async function expectRefused(limiter: ReturnType<typeof make>, why: RegExp): Promise<void> {
  const errors = storeErrors(limiter);
  const load = new Load(limiter);
  await times(3 * QUOTA, () => load.ask());
  expect(load.sources).toEqual(['local']);
  expect(load.admitted()).toBe(QUOTA);
  // Nothing that waiting could mend is waited for.
  load.expectAnswered(SLACK);
  expect(story(errors[0])).toMatch(why);
}

describe('passwords and accounts', () => {
  // What a limiter needs: scripts, its own keys, and nothing that an account of a service should not have.
  const server = useRedis({
    requirepass: 'p@ss:w/rd',
    user: 'limiter on >secret ~rl:* resetchannels -@all +eval +evalsha +script|load +@read +@write +@connection +time',
  });
  const { host } = server;
  const limiter = (redis: object, config = {}) =>
    make({ redis: { host, port: server.port, ...redis }, maxRequests: QUOTA, ...config });
  afterEach(() => server.command('FLUSHALL'));

  test('a password', () => expectServed(server, limiter({ password: 'p@ss:w/rd' })));

  test('an account', () => expectServed(server, limiter({ username: 'limiter', password: 'secret' })));

  test('an account in a URL, percent-encoded', () => {
    const url = `redis://default:${encodeURIComponent('p@ss:w/rd')}@${host}:${server.port}`;
    return expectServed(server, make({ redis: url, maxRequests: QUOTA }));
  });

  const LOCAL = { onStoreError: 'local', storeTimeout: PATIENCE } as const;

  test.each([
    ['a wrong password', { password: 'wrong' }],
    ['an unknown account', { username: 'nobody', password: 'secret' }],
  ])('%s', (_, redis) => expectRefused(limiter(redis, LOCAL), /WRONGPASS|password|user/i));

  test('no password', () => expectRefused(limiter({}, LOCAL), /NOAUTH|auth/i));

  test('an account that may not use these keys', () =>
    expectRefused(
      limiter({ username: 'limiter', password: 'secret' }, { ...LOCAL, keyPrefix: 'other:' }),
      /NOPERM|permission|access/i,
    ));

  test('TLS to a server that has none', () =>
    // It waits for more of what it takes for a command.
    expectRefused(limiter({ password: 'p@ss:w/rd', tls: true, connectTimeout: 200 }, LOCAL), /connect/));

  test('the password is not told', async () => {
    const one = limiter({ password: 'hunter2' }, LOCAL);
    const errors = storeErrors(one);
    await one.check('key');
    expect(errors).not.toHaveLength(0);
    expect(errors.map(story).join()).not.toContain('hunter2');
    expect(JSON.stringify(errors)).not.toContain('hunter2');
  });

  test('an account that is mended later is used then', async () => {
    const one = limiter(
      { username: 'late', password: 'secret' },
      { ...LOCAL, breaker: { backoffMin: 5, backoffMax: 50 } },
    );
    expect(await one.check('key')).toMatchObject({ source: 'local' });
    await server.command('ACL', 'SETUSER', 'late', 'on', '>secret', '~*', '+@all');
    const load = new Load(one);
    const stop = load.keepAsking(1);
    await load.next(1, 'redis');
    await stop();
  });

  test('an account that loses its permission, and gets it back', async () => {
    await server.command('ACL', 'SETUSER', 'fickle', 'on', '>secret', '~*', '+@all');
    const one = limiter(
      { username: 'fickle', password: 'secret' },
      { ...LOCAL, breaker: { backoffMin: 5, backoffMax: 50 }, maxRequests: 1_000_000 },
    );
    const load = new Load(one);
    const stop = load.keepAsking(4);
    await load.next(10, 'redis');
    await server.command('ACL', 'SETUSER', 'fickle', '-@scripting');
    await load.next(10, 'local');
    await server.command('ACL', 'SETUSER', 'fickle', '+@all');
    await load.next(10, 'redis');
    await stop();
    load.expectAnswered(SLACK);
  });
});

describe('TLS', () => {
  const files = certificateFiles();
  afterAll(files.remove);
  const server = useRedis({
    'tls-cert-file': files.cert,
    'tls-key-file': files.key,
    'tls-ca-cert-file': files.cert,
    'tls-auth-clients': 'no',
    requirepass: 'secret',
  });
  afterEach(() => server.command('FLUSHALL'));
  const limiter = (redis: object, config = {}) =>
    make({
      redis: { host: server.host, port: server.port, password: 'secret', ...redis },
      maxRequests: QUOTA,
      ...config,
    });

  test.each([
    ['by name', { host: 'localhost', tls: { ca: certificate } }],
    ['by address', { tls: { ca: certificate } }],
    ['unchecked', { tls: { rejectUnauthorized: false } }],
  ])('%s', (_, redis) => expectServed(server, limiter(redis)));

  const LOCAL = { onStoreError: 'local', storeTimeout: PATIENCE } as const;

  test('a certificate that is not trusted', () =>
    expectRefused(limiter({ tls: true }, LOCAL), /certificate/i));

  test('no TLS to a server that asks for it', () => expectRefused(limiter({}, LOCAL), /connection|closed/i));

  test('a restart', async () => {
    const one = limiter({ tls: { ca: certificate } }, { ...LOCAL, windowMs: LONG, maxRequests: 1_000_000 });
    const load = new Load(one);
    const stop = load.keepAsking(4);
    await load.next(20, 'redis');
    await server.restart();
    await load.next(20, 'redis');
    await stop();
    await eventually(() => load.decisions.length === load.asked);
    load.expectAnswered(PATIENCE + SLACK);
  });
});
