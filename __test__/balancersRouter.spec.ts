import diagnosticsChannel from 'node:diagnostics_channel';
import { OptimizedRouter, type OptimizedRouterOptions, type RouteHandler } from 'keelson';
import { chiSquare } from './support/chiSquare';
import { manual } from './support/clock';
import { generator } from './support/random';
import { ask, boom, metricsOf, naming, TellingResponse } from './support/router';

const SEED = 20_261_123;

function group(
  weights: Record<string, number>,
  options: OptimizedRouterOptions = {},
  extra: Partial<RouteHandler> = {},
) {
  const router = new OptimizedRouter(options);
  router.on('error', () => {});
  for (const [id, weight] of Object.entries(weights)) router.addRoute('/a', naming(id, { weight, ...extra }));
  const picks = (count: number, req: object = {}) =>
    Array.from({ length: count }, () => ask(router, '/a', 'GET', req).sent[0]!.body as string);
  const counts = (count: number) => {
    const picked = picks(count);
    return Object.keys(weights).map((id) => picked.filter((one) => one === id).length);
  };
  return { router, picks, counts };
}

test('round-robin is the default, smooth and weighted', () => {
  expect(group({ a: 5, b: 1, c: 1 }).picks(7).join('')).toBe('aabacaa');
  expect(group({ a: 1, b: 1 }).picks(5).join('')).toBe('ababa');
});

test('each method and each path has a round of its own', () => {
  const router = new OptimizedRouter();
  for (const id of ['a', 'b']) {
    router.addRoute('/x', naming(id, { method: ['GET', 'POST'] }));
    router.addRoute('/y', naming(id));
  }
  const asked = [
    ['/x', 'GET'],
    ['/y', 'GET'],
    ['/x', 'POST'],
    ['/x', 'GET'],
  ] as const;
  expect(asked.map(([path, method]) => ask(router, path, method).sent[0]!.body)).toEqual([
    'a',
    'a',
    'a',
    'b',
  ]);
});

test('by chance, with a generator of the service', () => {
  const { counts } = group({ a: 1, b: 3, c: 6 }, { balancer: 'random', random: generator(SEED) });
  expect(chiSquare(counts(20_000), [0.1, 0.3, 0.6])).toBeLessThan(18.4);
});

test('the least loaded: those that hang get nothing more', async () => {
  const router = new OptimizedRouter({ balancer: 'least-loaded', random: generator(SEED) });
  const finish: (() => void)[] = [];
  const hanging = () => new Promise<void>((resolve) => finish.push(resolve));
  router.addRoute('/a', naming('slow', { handler: hanging }));
  router.addRoute('/a', naming('fast'));
  for (let n = 0; n < 200; n++) ask(router, '/a');
  // Idle ones are drawn by weight; the first that hangs makes the other the less loaded.
  expect(finish).toHaveLength(1);
  expect(metricsOf(router, 'slow').inFlight).toBe(1);
  expect(metricsOf(router, 'fast')).toMatchObject({ inFlight: 0, requests: 199 });
  finish[0]!();
  await Promise.resolve();
  expect(metricsOf(router, 'slow').inFlight).toBe(0);
});

test('the least loaded: who is in the middle of its middleware is loaded, too', () => {
  const router = new OptimizedRouter({ balancer: 'least-loaded', random: generator(SEED) });
  const waiting: string[] = [];
  for (const id of ['a', 'b']) {
    router.addRoute('/a', naming(id, { middleware: [() => waiting.push(id)] }));
  }
  const responses = Array.from({ length: 40 }, () => new TellingResponse());
  for (const res of responses) router.handle({ path: '/a', method: 'GET' }, res);
  expect(Math.abs(waiting.filter((id) => id === 'a').length - 20)).toBeLessThan(8);
  expect(router.metrics().routes.map(({ inFlight }) => inFlight)).toEqual(
    ['a', 'b'].map((id) => waiting.filter((one) => one === id).length),
  );
  for (const res of responses) res.end();
  expect(router.metrics().routes.map(({ inFlight, latency }) => [inFlight, latency.count])).toEqual([
    [0, 0],
    [0, 0],
  ]);
});

describe('by consistent hash', () => {
  const options: OptimizedRouterOptions = { balancer: 'consistent-hash', hashKey: (req) => req.user };
  const placesOf = ({ picks }: ReturnType<typeof group>) =>
    Array.from({ length: 2000 }, (_, user) => picks(1, { user })[0]!);

  test('a key stays with its handler, in each process and whatever the order of insertion', () => {
    const places = placesOf(group({ a: 1, b: 2, c: 1 }, options));
    expect(placesOf(group({ c: 1, b: 2, a: 1 }, options))).toEqual(places);
    expect(new Set(places).size).toBe(3);
    expect(placesOf(group({ a: 1, b: 2, c: 1 }, { ...options, hashSeed: 1 }))).not.toEqual(places);
  });

  test('one that is removed hands over its own keys only', () => {
    const all = group({ a: 1, b: 2, c: 1 }, options);
    const before = placesOf(all);
    all.router.removeRoute('/a', 'b');
    const after = placesOf(all);
    expect(before.filter((place, n) => place !== 'b' && after[n] !== place)).toEqual([]);
    expect(after).not.toContain('b');
  });

  test('handlers of one id do not draw the same, and both get their share', () => {
    const router = new OptimizedRouter(options);
    const add = (name: string) =>
      router.addRoute('/a', naming('x', { handler: (_req, res) => res.json(name) }));
    const share = (name: string) => {
      const users = Array.from({ length: 1000 }, (_, user) => user);
      return users.filter((user) => ask(router, '/a', 'GET', { user }).sent[0]!.body === name).length;
    };
    add('first');
    add('second');
    const first = share('first');
    expect(chiSquare([first, 1000 - first], [0.5, 0.5])).toBeLessThan(15);
    expect(share('second')).toBe(1000 - first);
  });

  test('a hashKey that throws is an error like any other', () => {
    const { router } = group(
      { a: 1, b: 1 },
      {
        ...options,
        hashKey: () => {
          throw boom;
        },
      },
    );
    expect(ask(router, '/a').sent).toEqual([{ status: 500, body: { error: 'Internal server error' } }]);
  });
});

describe('weights at run time', () => {
  test('change at once, and are not haunted by what was', () => {
    const { router, counts } = group({ a: 1_000_000, b: 1 });
    expect(counts(10)).toEqual([10, 0]);
    router.setWeight('/a', 'a', 1);
    expect(counts(10)).toEqual([5, 5]);
    router.setWeight('/a', 'b', 4);
    expect(counts(10)).toEqual([2, 8]);
  });

  // Setting them before each request once gave all of them to one handler: each call began the round anew.
  test.each([
    ['the same', () => 2],
    ['others', (n: number) => 2 + (n % 2) / 1000],
  ])('that are set all the time, to %s, keep their shares', (_, weight) => {
    const { router, picks } = group({ a: 1, b: 2, c: 2 });
    const counts: Record<string, number> = { a: 0, b: 0, c: 0 };
    for (let n = 0; n < 1000; n++) {
      router.setWeight('/a', 'b', weight(n));
      counts[picks(1)[0]!]!++;
    }
    expect(Math.abs(counts.a! - 200)).toBeLessThanOrEqual(1);
    expect(Math.abs(counts.b! - 400)).toBeLessThanOrEqual(1);
  });

  test('0 drains a handler while another has any; if none has, all are alike', () => {
    for (const balancer of ['round-robin', 'random', 'least-loaded', 'consistent-hash'] as const) {
      const { router, counts } = group({ a: 0, b: 1 }, { balancer, hashKey: () => Math.random() });
      expect(counts(50)).toEqual([0, 50]);
      router.setWeight('/a', 'b', 0);
      expect(Math.min(...counts(100))).toBeGreaterThan(0);
      router.setWeight('/a', 'a', 1);
      expect(counts(50)).toEqual([50, 0]);
    }
  });

  test('a drained handler gets no retries either', () => {
    const { router } = group({ drained: 0 });
    const handler = jest.fn(() => {
      throw boom;
    });
    router.addRoute('/a', naming('b', { handler, retries: 2 }));
    ask(router, '/a');
    expect(handler).toHaveBeenCalledTimes(3);
    expect(metricsOf(router, 'drained').latency.count).toBe(0);
  });
});

describe('slow start', () => {
  test('a handler that joins gets a tenth at first, and its share when the time is over', () => {
    const { clock, advance } = manual();
    const { router, counts } = group({ a: 1, b: 1 }, { slowStart: 1000, clock });
    advance(1000);
    expect(counts(100)).toEqual([50, 50]);
    router.addRoute('/a', naming('c'));
    const share = (count: number) => {
      counts(count);
      const { requests } = metricsOf(router, 'c');
      return requests;
    };
    // Of weights 1, 1 and 0.1.
    expect(share(210)).toBe(10);
    advance(500);
    // 1, 1 and 0.5; give or take one for where the round stood.
    expect(Math.abs(share(250) - 10 - 50)).toBeLessThanOrEqual(1);
    advance(500);
    const before = metricsOf(router, 'c').requests;
    expect(Math.abs(share(300) - before - 100)).toBeLessThanOrEqual(1);
  });

  test('a handler that gets a weight again starts slowly, one whose weight changes does not', () => {
    const { clock, advance } = manual();
    const { router, counts } = group({ a: 1, b: 0 }, { slowStart: 1000, clock });
    advance(5000);
    router.setWeight('/a', 'b', 1);
    expect(counts(110)).toEqual([100, 10]);
    advance(1000);
    router.setWeight('/a', 'b', 3);
    expect(counts(40)).toEqual([10, 30]);
  });
});

describe('ejection', () => {
  /** a, b and c, of which those in `broken` fail. */
  function breaking(options: OptimizedRouterOptions = {}, ids = ['a', 'b', 'c']) {
    const { clock, advance } = manual();
    const broken = new Set<string>();
    const router = new OptimizedRouter({ outlier: { failures: 2, ejectFor: 1000 }, clock, ...options });
    router.on('error', () => {});
    const events: string[] = [];
    router.on('ejected', ({ id, ejectedFor }) => events.push(`${id} ejected for ${ejectedFor}`));
    router.on('restored', ({ id }) => events.push(`${id} restored`));
    const served: string[] = [];
    for (const id of ids) {
      router.addRoute(
        '/a',
        naming(id, {
          handler: (_req, res) => {
            served.push(id);
            if (broken.has(id)) throw boom;
            res.json(id);
          },
        }),
      );
    }
    const round = (count: number) => {
      served.length = 0;
      for (let n = 0; n < count; n++) ask(router, '/a');
      return served.join('');
    };
    return { router, broken, events, round, advance };
  }

  test('takes out a handler after failures in a row, and lets one probe decide', () => {
    const { router, broken, events, round, advance } = breaking();
    broken.add('b');
    expect(round(6)).toBe('abcabc');
    expect(events).toEqual(['b ejected for 1000']);
    expect(metricsOf(router, 'b')).toMatchObject({ ejected: true, ejections: 1 });
    expect(round(4)).not.toContain('b');
    advance(999);
    expect(round(4)).not.toContain('b');
    advance(1);
    // One probe fails, and it is out for twice as long.
    expect(round(9).match(/b/g)).toHaveLength(1);
    advance(1999);
    expect(round(6)).not.toContain('b');
    broken.clear();
    advance(1);
    expect(round(9).match(/b/g)!.length).toBeGreaterThanOrEqual(2);
    expect(events).toEqual(['b ejected for 1000', 'b ejected for 2000', 'b restored']);
    expect(metricsOf(router, 'b')).toMatchObject({ ejected: false, ejections: 2 });
  });

  test('one probe at a time: while it is under way, nobody else is sent there', async () => {
    const { clock, advance } = manual();
    const router = new OptimizedRouter({ outlier: { failures: 1, ejectFor: 1000 }, clock });
    router.on('error', () => {});
    let answer: ((failed: boolean) => void) | undefined;
    let calls = 0;
    router.addRoute(
      '/a',
      naming('a', {
        handler: () => {
          if (calls++ === 0) throw boom;
          return new Promise<void>((resolve, reject) => {
            answer = (failed) => (failed ? reject(boom) : resolve());
          });
        },
      }),
    );
    router.addRoute('/a', naming('b'));
    ask(router, '/a');
    advance(1000);
    for (let n = 0; n < 10; n++) ask(router, '/a');
    expect(calls).toBe(2);
    answer!(false);
    await Promise.resolve();
    expect(metricsOf(router, 'a').ejected).toBe(false);
    ask(router, '/a');
    ask(router, '/a');
    expect(calls).toBe(3);
  });

  test('a status from 500 on is a failure, what is below is none', () => {
    for (const [statusCode, ejected] of [
      [500, true],
      [503, true],
      [499, false],
      [404, false],
    ] as const) {
      const router = new OptimizedRouter({ outlier: { failures: 1, maxEjectedPercent: 100 } });
      router.addRoute('/a', naming('a', { handler: () => {} }));
      router.handle({ path: '/a', method: 'GET' }, { statusCode, writableEnded: true, headersSent: true });
      expect(metricsOf(router, 'a').ejected).toBe(ejected);
    }
  });

  test('never takes out more than the given share', () => {
    const { broken, events, round } = breaking();
    for (const id of ['a', 'b', 'c']) broken.add(id);
    round(30);
    // Of three, half is one.
    expect(events).toHaveLength(1);
    const all = breaking({ outlier: { failures: 2, ejectFor: 1000, maxEjectedPercent: 100 } });
    for (const id of ['a', 'b', 'c']) all.broken.add(id);
    all.round(6);
    expect(all.events).toHaveLength(3);
    // Better an ejected handler than none.
    expect(all.round(3)).toHaveLength(3);
    all.broken.clear();
    all.round(3);
    expect(all.events.slice(3)).toEqual(
      ['a restored', 'b restored', 'c restored'].filter((event) => all.events.includes(event)),
    );
    expect(all.events.length).toBeGreaterThan(3);
  });

  test('a drained handler is no spare: the one that has the weight is not ejected', () => {
    const { router, broken, round } = breaking({}, ['a', 'b']);
    router.setWeight('/a', 'b', 0);
    broken.add('a');
    expect(round(20)).toBe('a'.repeat(20));
    expect(metricsOf(router, 'a').ejected).toBe(false);
  });

  test('a handler that is alone is not ejected by default', () => {
    const { router, broken, round } = breaking({}, ['a']);
    broken.add('a');
    expect(round(20)).toHaveLength(20);
    expect(metricsOf(router, 'a').ejected).toBe(false);
  });

  test('a restored handler starts slowly, where there is a slow start', () => {
    const { router, broken, round, advance } = breaking({ slowStart: 1000 }, ['a', 'b']);
    advance(1000);
    broken.add('b');
    expect(round(4)).toBe('abab');
    broken.clear();
    advance(1000);
    round(20);
    expect(metricsOf(router, 'b').ejected).toBe(false);
    const { requests } = metricsOf(router, 'b');
    round(110);
    expect(metricsOf(router, 'b').requests - requests).toBe(10);
  });

  test('retries go round an ejected handler', () => {
    const { clock } = manual();
    const router = new OptimizedRouter({ outlier: { failures: 1, ejectFor: 1000 }, clock });
    router.on('error', () => {});
    const calls: string[] = [];
    for (const id of ['a', 'b', 'c', 'd']) {
      router.addRoute(
        '/a',
        naming(id, {
          retries: 3,
          handler: (_req, res) => {
            calls.push(id);
            if (id < 'c') throw boom;
            res.json(id);
          },
        }),
      );
    }
    expect(ask(router, '/a').sent[0]!.body).toBe('c');
    expect(calls).toEqual(['a', 'b', 'c']);
    for (let n = 0; n < 8; n++) ask(router, '/a');
    expect(new Set(calls.slice(3))).toEqual(new Set(['c', 'd']));
  });

  test('middleware that answers in place of a probe leaves room for the next', () => {
    const { clock, advance } = manual();
    const router = new OptimizedRouter({ outlier: { failures: 1, ejectFor: 1000 }, clock });
    router.on('error', () => {});
    let state = 'fail';
    router.addRoute(
      '/a',
      naming('a', {
        middleware: [(_req, _res, next) => next(state === 'refuse' ? boom : undefined)],
        handler: (_req, res) => {
          if (state === 'fail') throw boom;
          res.json('a');
        },
      }),
    );
    router.addRoute('/a', naming('b'));
    ask(router, '/a');
    expect(metricsOf(router, 'a').ejected).toBe(true);
    advance(1000);
    state = 'refuse';
    for (let n = 0; n < 4; n++) ask(router, '/a');
    expect(metricsOf(router, 'a').ejected).toBe(true);
    state = 'fine';
    for (let n = 0; n < 4; n++) ask(router, '/a');
    expect(metricsOf(router, 'a').ejected).toBe(false);
  });

  test('is told on the diagnostics channel', () => {
    const seen: unknown[] = [];
    const listen = (event: unknown) => seen.push(event);
    diagnosticsChannel.subscribe('keelson:router:ejected', listen);
    const { broken, round } = breaking();
    broken.add('a');
    round(6);
    diagnosticsChannel.unsubscribe('keelson:router:ejected', listen);
    expect(seen).toEqual([{ id: 'a', path: '/a', method: 'GET', ejectedFor: 1000 }]);
  });
});
