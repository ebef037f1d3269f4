import { CircuitBreaker } from 'keelson';
import {
  type Breaker,
  closed,
  eventsOf,
  expectOneProbeARound,
  fire,
  gaps,
  INTERVAL,
  pour,
  RESET,
  states,
  useFleet,
} from './support/fleet';
import { eventually } from './support/server';

const { server, make, dependency, shared, fleet, openAll } = useFleet();

describe('the probe', () => {
  test('in each round one call of the whole fleet is let through, until one succeeds and closes all', async () => {
    const members = await fleet(5);
    await openAll(members);
    dependency.calls = [];
    const stop = pour(members);
    await eventually(() => dependency.calls.length >= 10);
    dependency.isDown = false;
    const failed = dependency.calls.length;
    await eventually(() => members.every((one) => one.state === 'closed'));
    await stop();
    expectOneProbeARound(dependency.calls.slice(0, failed), 10);
  });

  test('a probe that takes its time keeps the lease', async () => {
    const members = await fleet(3);
    await openAll(members);
    dependency.calls = [];
    dependency.takes = 4 * INTERVAL;
    const stop = pour(members);
    await eventually(() => dependency.calls.length >= 3);
    await stop();
    expectOneProbeARound(dependency.calls, 3);
    expect(Math.min(...gaps(dependency.calls))).toBeGreaterThan(dependency.takes + RESET - 2);
  });

  test('who has the lease and no calls gives it to who has some', async () => {
    const members = await fleet(3);
    const [busy] = members as [Breaker, ...Breaker[]];
    for (let round = 0; round < 5; round++) {
      await openAll(members);
      dependency.isDown = false;
      await eventually(() => members.some((one) => one.fleet!.probing));
      const stop = pour([busy]);
      await closed(members);
      await stop();
    }
  });

  test('a round of several probes is not taken from who has few calls', async () => {
    const settings = { resetTimeout: 60_000, halfOpenCalls: 3 };
    const members = [0, 1].map(() => make(dependency, { ...settings, shared: shared() }));
    await eventually(() => members.every((one) => one.fleet!.members === 2));
    // As if its time had come.
    await openAll(members);
    await server.command('HSET', 'cb:{dependency}', 'due', '0');
    await eventually(() => members.some((one) => one.fleet!.probing));
    const holder = members.find((one) => one.fleet!.probing)!;
    const other = members.find((one) => one !== holder)!;
    dependency.isDown = false;
    await holder.fire();
    // The other one has calls all the time, and asks for the lease.
    const stop = pour([other]);
    await eventually(async () => Number(await server.command('HGET', 'cb:{dependency}', 'wanted')) > 0);
    const heard = Number(await server.command('HGET', 'cb:{dependency}', 'lease'));
    await eventually(async () => Number(await server.command('HGET', 'cb:{dependency}', 'lease')) > heard);
    expect(holder.fleet!.probing).toBe(true);
    await holder.fire();
    await holder.fire();
    await closed(members);
    await stop();
  });

  test('without calls a member waits half-open, and the others hear of it', async () => {
    const members = await fleet(2);
    await openAll(members);
    await eventually(() => members.every((one) => one.fleet!.state === 'halfOpen'));
    expect(states(members).sort()).toEqual(['halfOpen', 'open']);
    expect(members.filter((one) => one.fleet!.probing)).toHaveLength(1);
  });

  test('what a probe’s own listener causes is not lost', async () => {
    const members = await fleet(2);
    const [one] = members as [Breaker, Breaker];
    const failing = new CircuitBreaker<[], string>(
      () => {
        throw new Error('at once');
      },
      { name: 'listener', volumeThreshold: 1, resetTimeout: RESET, shared: shared({ interval: INTERVAL }) },
    );
    const events = eventsOf(failing);
    const probes: number[] = [];
    failing.on('halfOpen', () => {
      probes.push(performance.now());
      void failing.fire().catch(() => {});
    });
    await eventually(() => failing.fleet!.connected);
    await fire(failing, 1);
    await eventually(() => probes.length >= 4);
    expectOneProbeARound(probes, 4);
    expect(events).not.toContain('close');
    failing.shutdown();
    expect(one.state).toBe('closed');
  });
});
