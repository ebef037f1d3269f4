import * as fc from 'fast-check';
import { LeastLoaded } from '../dist/router/balancer/leastLoaded';
import { WeightedRandom } from '../dist/router/balancer/random';
import { hashText, Rendezvous } from '../dist/router/balancer/rendezvous';
import { SmoothRoundRobin } from '../dist/router/balancer/roundRobin';
import { chiSquare } from './support/chiSquare';
import { generator } from './support/random';

const SEED = 20_261_123;
const idle = (count: number) => Array.from({ length: count }, (_, hash) => ({ inFlight: 0, hash }));

function count(picks: number, size: number, pick: (n: number) => number): number[] {
  const counts = new Array<number>(size).fill(0);
  for (let n = 0; n < picks; n++) counts[pick(n)]!++;
  return counts;
}

function shares(weights: readonly number[]): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

describe('smooth weighted round-robin', () => {
  test('goes as in the description of its commit to nginx: { 5, 1, 1 } is a a b a c a a', () => {
    const balancer = new SmoothRoundRobin();
    const picked = Array.from({ length: 14 }, () => 'abc'[balancer.pick([5, 1, 1])]);
    expect(picked.join('')).toBe('aabacaaaabacaa');
  });

  test('equal weights take turns', () => {
    const balancer = new SmoothRoundRobin();
    expect(Array.from({ length: 7 }, () => balancer.pick([2, 2, 2]))).toEqual([0, 1, 2, 0, 1, 2, 0]);
  });

  test('follows the definition, whatever the weights, and whoever drops out and comes back', () => {
    const step = fc.array(fc.nat(5), { minLength: 4, maxLength: 4 });
    const property = fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const balancer = new SmoothRoundRobin();
      // ngx_http_upstream_get_peer, in its own words: each gains its weight, the best pays the total.
      const peers = [0, 0, 0, 0].map((current) => ({ current }));
      for (const weights of steps) {
        if (weights.every((weight) => weight === 0)) continue;
        let total = 0;
        let best: { current: number } | undefined;
        for (const [at, peer] of peers.entries()) {
          if (weights[at] === 0) continue;
          peer.current += weights[at]!;
          total += weights[at]!;
          if (best === undefined || peer.current > best.current) best = peer;
        }
        best!.current -= total;
        expect(balancer.pick(weights)).toBe(peers.indexOf(best!));
      }
    });
    fc.assert(property, { numRuns: 300 });
  });

  test('in each period everyone is chosen exactly as often as its weight says', () => {
    const property = fc.property(
      fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 8 }),
      (weights) => {
        const balancer = new SmoothRoundRobin();
        const period = weights.reduce((sum, weight) => sum + weight, 0);
        for (let round = 0; round < 3; round++) {
          expect(count(period, weights.length, () => balancer.pick(weights))).toEqual(weights);
        }
      },
    );
    fc.assert(property);
  });

  test('fractions count too', () => {
    const balancer = new SmoothRoundRobin();
    expect(count(1000, 2, () => balancer.pick([0.5, 1.5]))).toEqual([250, 750]);
  });
});

describe('weighted chance', () => {
  test('chooses in proportion to the weights', () => {
    const weights = [1, 2, 0, 7, 10];
    const balancer = new WeightedRandom(generator(SEED));
    const counts = count(100_000, 5, () => balancer.pick(weights));
    expect(counts[2]).toBe(0);
    // 3 degrees of freedom: above 21.1 once in 10,000 seeds.
    expect(chiSquare(counts, shares(weights))).toBeLessThan(21.1);
  });

  test.each([0, 0.5, 1 - 2 ** -53, 1, 2, Number.NaN])(
    'never chooses a weight of 0, even if chance says %p',
    (random) => {
      const balancer = new WeightedRandom(() => random);
      for (const weights of [
        [0, 1, 0],
        [0, 0, 3],
        [1, 0, 0],
      ]) {
        expect(weights[balancer.pick(weights)]).toBeGreaterThan(0);
      }
    },
  );
});

describe('the less loaded of two', () => {
  /** The definition, by all pairs: two draws without putting back, then the smaller load for its weight. */
  function definition(weights: readonly number[], loads: readonly number[]): number[] {
    const chosen = weights.map(() => 0);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    for (const [i, first] of weights.entries()) {
      for (const [j, second] of weights.entries()) {
        if (i === j || first === 0 || second === 0) continue;
        const probability = (first / total) * (second / (total - first));
        const other = loads[j]! / second < loads[i]! / first;
        chosen[other ? j : i]! += probability;
      }
    }
    return chosen;
  }

  test.each([
    [
      [1, 1, 1, 1],
      [0, 1, 2, 3],
    ],
    [
      [3, 1, 2],
      [6, 1, 3],
    ],
    [
      [5, 1, 0, 4],
      [1, 1, 0, 9],
    ],
    [
      [1, 2, 3, 4],
      [0, 0, 0, 0],
    ],
  ])('weights %j and loads %j follow the definition', (weights, loads) => {
    const balancer = new LeastLoaded(generator(SEED));
    const candidates = loads.map((inFlight, hash) => ({ inFlight, hash }));
    const counts = count(100_000, weights.length, () => balancer.pick(weights, candidates));
    expect(chiSquare(counts, definition(weights, loads))).toBeLessThan(21.1);
  });

  test('idle handlers get their share', () => {
    const balancer = new LeastLoaded(generator(SEED));
    const counts = count(100_000, 3, () => balancer.pick([1, 2, 7], idle(3)));
    expect(chiSquare(counts, [0.1, 0.2, 0.7])).toBeLessThan(18.4);
  });

  test('of two it always takes the one with less to do for its weight', () => {
    const balancer = new LeastLoaded(generator(SEED));
    const busy = [
      { inFlight: 4, hash: 0 },
      { inFlight: 3, hash: 1 },
    ];
    expect(count(100, 2, () => balancer.pick([2, 1], busy))).toEqual([100, 0]);
    expect(count(100, 2, () => balancer.pick([1, 1], busy))).toEqual([0, 100]);
  });

  test('the only one with a weight is chosen, however busy', () => {
    const balancer = new LeastLoaded(generator(SEED));
    expect(
      balancer.pick(
        [0, 1],
        [
          { inFlight: 0, hash: 0 },
          { inFlight: 99, hash: 1 },
        ],
      ),
    ).toBe(1);
  });

  test('two choices keep the fullest handler close to the mean, where one choice does not', () => {
    const throwAll = (choose: (loads: { inFlight: number; hash: number }[]) => number): number => {
      const loads = idle(100);
      for (let ball = 0; ball < 100; ball++) loads[choose(loads)]!.inFlight++;
      return Math.max(...loads.map(({ inFlight }) => inFlight));
    };
    const weights = new Array<number>(100).fill(1);
    const two = new LeastLoaded(generator(SEED));
    const one = new WeightedRandom(generator(SEED));
    const mean = (trials: number, most: () => number) =>
      Array.from({ length: trials }, most).reduce((sum, value) => sum + value, 0) / trials;
    // 100 balls in 100 bins: with one choice the fullest holds about 4.2, with two about 2.4.
    expect(mean(50, () => throwAll((loads) => two.pick(weights, loads)))).toBeLessThan(3);
    expect(mean(50, () => throwAll(() => one.pick(weights)))).toBeGreaterThan(3.5);
  });
});

describe('weighted rendezvous hashing', () => {
  const KEYS = 20_000;
  const byKey = (seed = 0) => new Rendezvous((key) => key, seed, generator(SEED));
  const members = ['a', 'b', 'c', 'd', 'e'].map((id) => ({ inFlight: 0, hash: hashText(id, 0) }));
  const places = (weights: readonly number[], balancer = byKey()) =>
    Array.from({ length: KEYS }, (_, n) => balancer.pick(weights, members, `user:${n}`));

  test('keys are shared out in proportion to the weights', () => {
    const weights = [1, 2, 3, 0, 10];
    const counts = new Array<number>(5).fill(0);
    for (const place of places(weights)) counts[place]!++;
    expect(counts[3]).toBe(0);
    expect(chiSquare(counts, shares(weights))).toBeLessThan(21.1);
  });

  test('a handler that goes takes only its own keys along', () => {
    const before = places([1, 2, 3, 4, 5]);
    const after = places([1, 2, 0, 4, 5]);
    expect(before.filter((place, n) => place !== 2 && after[n] !== place)).toEqual([]);
    expect(after.includes(2)).toBe(false);
  });

  test('a handler that gains weight only gains keys, and no more than its share', () => {
    const before = places([1, 1, 1, 1, 1]);
    const after = places([1, 1, 1, 1, 2]);
    const moved = before.map((place, n) => [place, after[n]!] as const).filter(([from, to]) => from !== to);
    expect(moved.every(([, to]) => to === 4)).toBe(true);
    // From 1/5 to 2/6 of them.
    expect(moved.length / KEYS).toBeCloseTo(2 / 6 - 1 / 5, 2);
  });

  test('agrees with the definition: the largest -weight / ln(u) of a uniform draw for key and handler', () => {
    const weights = [1, 4, 2, 3, 1];
    const mix = (h: number) => {
      let x = BigInt.asUintN(32, BigInt(h));
      x = BigInt.asUintN(32, (x ^ (x >> 16n)) * 0x85ebca6bn);
      x = BigInt.asUintN(32, (x ^ (x >> 13n)) * 0xc2b2ae35n);
      return Number(x ^ (x >> 16n));
    };
    for (let n = 0; n < 500; n++) {
      const key = hashText(`k${n}`, 0);
      const scores = members.map(
        ({ hash }, i) => -weights[i]! / Math.log((mix((key ^ hash) >>> 0) + 0.5) / 2 ** 32),
      );
      expect(byKey().pick(weights, members, `k${n}`)).toBe(scores.indexOf(Math.max(...scores)));
    }
  });

  test('processes with the same seed agree, others do not', () => {
    const weights = [1, 1, 1, 1, 1];
    expect(places(weights, byKey(7))).toEqual(places(weights, byKey(7)));
    const others = places(weights, byKey(8));
    const same = places(weights, byKey(7)).filter((place, n) => place === others[n]);
    expect(same.length / KEYS).toBeCloseTo(1 / 5, 1);
  });

  test('keys are compared as text, and a request without one goes anywhere', () => {
    const balancer = byKey();
    expect(balancer.pick([1, 1, 1, 1, 1], members, 12)).toBe(balancer.pick([1, 1, 1, 1, 1], members, '12'));
    const anywhere = count(10_000, 5, () => balancer.pick([1, 1, 1, 1, 1], members, undefined));
    expect(chiSquare(anywhere, shares([1, 1, 1, 1, 1]))).toBeLessThan(23.5);
  });

  test('the hash is MurmurHash3 over UTF-16 units, and stays what it is from release to release', () => {
    expect(['', 'a', 'user:1', '日本', '\ud800'].map((text) => hashText(text, 0))).toMatchInlineSnapshot(`
[
  0,
  721651713,
  2245809703,
  322114415,
  3311452196,
]
`);
    expect(hashText('a', 1)).not.toBe(hashText('a', 0));
  });
});
