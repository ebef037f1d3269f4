import * as fc from 'fast-check';
import { type Bounds, findKnee, type Ramp } from '../dist/cli/load/ramp';
import { flat, stepWith } from './support/loadSteps';

const RAMP: Ramp = { from: 50, factor: 1.5, max: 100_000, precision: 10 };

/** The search on a service that breaks above `capacity`, and the rates that it tried. */
async function search(capacity: number, ramp: Partial<Ramp> = {}, broken = { latency: flat(101) }) {
  const bounds: Bounds = { good: undefined, bad: undefined };
  const rates: number[] = [];
  await findKnee({ ...RAMP, ...ramp }, bounds, async (rate) => {
    rates.push(rate);
    return stepWith(rate, rate > capacity ? broken : {});
  });
  return { rates, good: bounds.good?.rate, bad: bounds.bad?.rate, bounds };
}

describe('the rates that are tried', () => {
  test('grow until one breaks, and then halve the distance', async () => {
    expect(await search(200)).toMatchObject({
      rates: [50, 75, 113, 170, 255, 213, 192, 203],
      good: 192,
      bad: 203,
    });
  });

  test('end at the first if that breaks', async () => {
    expect(await search(49)).toMatchObject({ rates: [50], good: undefined, bad: 50 });
  });

  test('end at the last if nothing breaks', async () => {
    expect(await search(Number.POSITIVE_INFINITY, { max: 200 })).toMatchObject({
      rates: [50, 75, 113, 170, 200],
      good: 200,
      bad: undefined,
    });
  });

  test('grow although a factor rounds to nothing', async () => {
    expect(await search(3, { from: 1, factor: 1.01 })).toMatchObject({
      rates: [1, 2, 3, 4],
      good: 3,
      bad: 4,
    });
  });

  test('are not refined where the generator is the limit', async () => {
    const broken = { latency: flat(101), lateness: flat(90) };
    expect(await search(200, {}, broken)).toMatchObject({
      rates: [50, 75, 113, 170, 255],
      good: 170,
      bad: 255,
    });
  });

  test('enclose the capacity of any service as closely as asked', async () => {
    const settings = fc.record({
      capacity: fc.integer({ min: 1, max: 50_000 }),
      from: fc.integer({ min: 1, max: 1_000 }),
      factor: fc.double({ min: 1.1, max: 10, noNaN: true }),
      precision: fc.double({ min: 0.1, max: 100, noNaN: true }),
    });
    await fc.assert(
      fc.asyncProperty(settings, async ({ capacity, ...ramp }) => {
        const { good, bad, rates } = await search(capacity, ramp);
        expect(new Set(rates).size).toBe(rates.length);
        expect(bad).toBeGreaterThan(capacity);
        if (good === undefined) {
          expect(rates).toEqual([ramp.from]);
        } else {
          expect(good).toBeLessThanOrEqual(capacity);
          expect(bad! - good).toBeLessThanOrEqual(Math.max(1, (good * ramp.precision) / 100));
        }
      }),
    );
  });
});

describe('the SLO', () => {
  const limits = (changes: Parameters<typeof stepWith>[1]) =>
    stepWith(1_000, changes).breaks.map(({ limit }) => limit);

  test.each([
    { what: 'nothing', changes: {}, expected: [] },
    { what: 'a p99 at its limit', changes: { latency: flat(100) }, expected: [] },
    { what: 'a p99 above it', changes: { latency: flat(100.1) }, expected: ['p99'] },
    { what: '1 % errors', changes: { statuses: { 200: 990, 503: 10 } }, expected: [] },
    { what: 'more 5xx', changes: { statuses: { 200: 989, 503: 6, 500: 5 } }, expected: ['errors'] },
    { what: 'more 429', changes: { statuses: { 200: 989, 429: 11 } }, expected: ['errors'] },
    { what: 'only 404', changes: { statuses: { 404: 1_000 } }, expected: [] },
    { what: 'timeouts', changes: { statuses: { 200: 989 }, timeouts: 11 }, expected: ['errors'] },
    { what: 'lost connections', changes: { statuses: { 200: 989 }, lost: 11 }, expected: ['errors'] },
    {
      what: 'a sum of them',
      changes: { statuses: { 200: 989, 500: 4, 429: 3 }, timeouts: 2, lost: 2 },
      expected: ['errors'],
    },
    { what: '95 % of the rate', changes: { inTime: 950 }, expected: [] },
    { what: 'less', changes: { inTime: 949 }, expected: ['rate'] },
    {
      what: 'no answer at all',
      changes: { statuses: {}, lost: 1_000, latency: null, inTime: 0 },
      expected: ['errors', 'rate'],
    },
  ])('breaks or not: $what', ({ changes, expected }) => {
    expect(limits(changes)).toEqual(expected);
  });

  test('the generator is told from the service', () => {
    expect(limits({ lateness: flat(51) })).toEqual([]);
    expect(limits({ lateness: flat(51), latency: flat(101) })).toEqual(['generator', 'p99']);
    expect(limits({ lateness: flat(49), latency: flat(101) })).toEqual(['p99']);
    expect(limits({ utilization: 0.96, inTime: 900 })).toEqual(['generator', 'rate']);
    // Whatever the generator does, it makes no 503.
    expect(limits({ utilization: 0.96, statuses: { 503: 1_000 }, inTime: 0 })).toEqual(['errors', 'rate']);
  });

  test('why it broke is told by cause', () => {
    const [broken] = stepWith(100, { statuses: { 200: 90, 503: 4, 429: 3 }, timeouts: 2, lost: 1 }).breaks;
    expect(broken?.message).toBe('10 % failed (2 timeouts, 1 lost connections, 4 with 5xx, 3 with 429)');
  });
});
