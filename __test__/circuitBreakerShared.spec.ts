import { CircuitBreaker, InvalidArgumentError } from 'keelson';
import {
  type Breaker,
  closed,
  eventsOf,
  FAR,
  fire,
  INTERVAL,
  opened,
  pour,
  states,
  useFleet,
} from './support/fleet';
import { eventually } from './support/server';

const { make, dependency, shared, fleet, openAll } = useFleet();

describe('the quorum', () => {
  test('one member of three that fails opens by itself, votes, and takes its vote back', async () => {
    const members = await fleet(3, { quorum: 2 });
    const [one, two] = members as [Breaker, Breaker, Breaker];
    dependency.isDown = true;
    await fire(one, 2);
    expect(states(members)).toEqual(['open', 'closed', 'closed']);
    await eventually(() => two.fleet!.votes === 1);
    expect(two.fleet).toMatchObject({ connected: true, state: 'closed', members: 3, votes: 1 });
    dependency.isDown = false;
    // Its own resetTimeout, its own probe.
    await eventually(() => one.state === 'halfOpen');
    await one.fire();
    expect(one.state).toBe('closed');
    await eventually(() => two.fleet!.votes === 0);
    expect(states(members)).toEqual(['closed', 'closed', 'closed']);
  });

  test('two of three open the third, which saw no failure', async () => {
    const members = await fleet(3, {}, FAR);
    const [one, two, three] = members as [Breaker, Breaker, Breaker];
    const events = eventsOf(three);
    dependency.isDown = true;
    await Promise.all([fire(one, 2), fire(two, 2)]);
    await opened(members);
    expect(events).toEqual(['open']);
    expect(three.metrics()).toMatchObject({ fires: 0, opened: 1, fleet: { state: 'open', votes: 0 } });
    const error = await three.fire().catch((reason) => reason);
    expect(error).toMatchObject({ code: 'ERR_KEELSON_BREAKER_OPEN' });
    expect(error.retryAfter).toBeGreaterThan(FAR / 2);
    expect(error.retryAfter).toBeLessThanOrEqual(FAR);
  });

  test('a whole number is so many votes', async () => {
    const members = await fleet(3, { quorum: 1 }, FAR);
    dependency.isDown = true;
    await fire(members[0]!, 2);
    await opened(members);
  });

  test('a share is of the members that are alive', async () => {
    const members = await fleet(3);
    members[2]!.shutdown();
    await eventually(() => members[0]!.fleet!.members === 2);
    dependency.isDown = true;
    await fire(members[0]!, 2);
    await opened(members.slice(0, 2));
  });

  test('who joins later is open too', async () => {
    const members = await fleet(2, {}, FAR);
    await openAll(members);
    const late = make(dependency, { resetTimeout: FAR, shared: shared() });
    await eventually(() => late.state === 'open');
    expect(late.fleet!.members).toBe(3);
  });

  test('breakers of another name or prefix are another fleet', async () => {
    const members = await fleet(2);
    const others = [
      make(dependency, { name: 'other', shared: shared() }),
      make(dependency, { shared: shared({ prefix: 'other:' }) }),
    ];
    await openAll(members);
    await eventually(() => others.every((one) => one.fleet!.connected));
    expect(others.map((one) => [one.state, one.fleet!.members])).toEqual(Array(2).fill(['closed', 1]));
  });
});

describe('orders', () => {
  test('open() is this breaker’s own: it does not vote', async () => {
    const members = await fleet(2);
    members[0]!.open();
    await eventually(() => members[0]!.state === 'halfOpen');
    expect(members[1]!.fleet).toMatchObject({ state: 'closed', votes: 0 });
    expect(members[1]!.state).toBe('closed');
  });

  test('forceOpen() outlasts what the fleet does', async () => {
    const members = await fleet(3);
    members[0]!.forceOpen();
    const others = members.slice(1);
    dependency.isDown = true;
    await Promise.all(others.map((one) => fire(one, 2)));
    await opened(others);
    await eventually(() => members[0]!.fleet!.state !== 'closed');
    dependency.isDown = false;
    const stop = pour(others);
    await eventually(() => others.every((one) => one.state === 'closed'));
    await stop();
    await eventually(() => members[0]!.fleet!.state === 'closed');
    expect(members[0]!.state).toBe('forcedOpen');
    members[0]!.close();
    expect(members[0]!.state).toBe('closed');
  });

  test('close() of a member holds until the fleet’s next turn', async () => {
    const members = await fleet(2, {}, 2 * INTERVAL);
    await openAll(members);
    const [one] = members as [Breaker, Breaker];
    one.close();
    await fire(one, 1);
    expect(one.fleet!.connected).toBe(true);
    expect(one.state).toBe('closed');
    // Its own calls open it again, and then it waits for the fleet's probe like all.
    await fire(one, 1);
    expect(one.state).toBe('open');
    dependency.isDown = false;
    const stop = pour(members);
    await closed(members);
    await stop();
  });

  test('the lease’s holder that is closed by order gives it back', async () => {
    const members = await fleet(2);
    await openAll(members);
    await eventually(() => members.some((one) => one.fleet!.probing));
    const holder = members.find((one) => one.fleet!.probing)!;
    const other = members.find((one) => one !== holder)!;
    holder.close();
    await eventually(() => other.fleet!.probing);
    expect(holder.state).toBe('closed');
  });

  test('restore() is an order too', async () => {
    const members = await fleet(2);
    const [one, two] = members as [Breaker, Breaker];
    one.restore({ ...two.toJSON(), state: 'open', halfOpenAt: Date.now() + 60_000 });
    expect(one.state).toBe('open');
    expect(() => one.restore({} as never)).toThrow(InvalidArgumentError);
    await eventually(() => two.fleet!.members === 2);
    expect(two.fleet!.votes).toBe(0);
  });
});

describe('options', () => {
  const refused = (options: object, name: string | undefined = 'x') => {
    const given = { name, shared: options } as any;
    const build = () => new CircuitBreaker(dependency.call, given);
    expect(build).toThrow(InvalidArgumentError);
    return expect(build);
  };

  test('are checked', () => {
    const redis = 'redis://127.0.0.1';
    for (const [options, word] of [
      [{}, 'redis'],
      [{ redis: 7 }, 'redis'],
      [{ redis: 'http://x' }, 'redis'],
      [{ redis, quorum: 0 }, 'shared.quorum'],
      [{ redis, quorum: 1.5 }, 'shared.quorum'],
      [{ redis, quorum: Number.NaN }, 'shared.quorum'],
      [{ redis, interval: 9 }, 'shared.interval'],
      [{ redis, timeout: 0 }, 'shared.timeout'],
      [{ redis, prefix: 'a{}' }, 'shared.prefix'],
      [{ redis, prefx: '' }, 'shared.prefx'],
    ] as const)
      refused(options).toThrow(`"${word}`);
    refused({ redis }, '').toThrow('"name"');
    refused({ redis }, '}').toThrow('"name"');
  });

  test('an action without a name needs one: a number would be another breaker’s in the next process', () => {
    const build = () => new CircuitBreaker(async () => {}, { shared: { redis: 'redis://127.0.0.1' } });
    expect(build).toThrow(/"name" must be/);
  });

  test('a breaker that shares nothing has no fleet', () => {
    const one = new CircuitBreaker(dependency.call);
    expect(one.fleet).toBeUndefined();
    expect(one.metrics()).not.toHaveProperty('fleet');
  });
});
