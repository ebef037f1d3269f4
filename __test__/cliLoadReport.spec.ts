import { readExposition } from '../dist/cli/load/exposition';
import { pageOf } from '../dist/cli/load/html';
import { tableOf } from '../dist/cli/load/lines';
import { loadOptions } from '../dist/cli/load/options';
import { reportOf } from '../dist/cli/load/report';
import type { Step } from '../dist/cli/load/step';
import { flat, stepWith } from './support/loadSteps';

const URL_ = 'https://user:s3cret@example.test/<script>alert(1)</script>?a=1&b="2"';
const service = {
  eventLoopDelayP99: 12.34,
  eventLoopDelayMean: 10,
  resident: 256e6,
  heapUsed: null,
  cpu: 0.756,
};

function report(steps: Step[], changes: { interrupted?: boolean; args?: string[] } = {}) {
  const { interrupted = false, args = [] } = changes;
  return reportOf({
    options: loadOptions([URL_, ...args]),
    started: new Date(0),
    steps,
    bounds: {
      good: steps.filter(({ breaks }) => breaks.length === 0).at(-1),
      bad: steps.find(({ breaks }) => breaks.length > 0),
    },
    notes: ['A note of <b>.'],
    interrupted,
  });
}

const GOOD = { ...stepWith(100), service };
const BAD = { ...stepWith(150, { latency: { ...flat(5), p99: 123.4, p999: 2_345 }, inTime: 120 }), service };

describe('how a search ended', () => {
  test.each([
    {
      steps: [GOOD, BAD],
      outcome: 'knee',
      knee: 100,
      broke: 150,
      says: 'At 150 it broke: p99 was 123 ms; only 120 of',
    },
    { steps: [BAD], outcome: 'below-first-rate', knee: null, broke: 150, says: 'held at no rate' },
    { steps: [GOOD], outcome: 'max-reached', knee: 100, broke: null, says: 'the knee is higher' },
    { steps: [GOOD], interrupted: true, outcome: 'interrupted', knee: 100, broke: null, says: 'Interrupted' },
    {
      steps: [GOOD, stepWith(150, { latency: flat(101), utilization: 0.99 })],
      outcome: 'generator-limit',
      knee: 100,
      broke: 150,
      says: 'the generator was the limit, not the service',
    },
  ])('$outcome', ({ steps, says, interrupted = false, ...expected }) => {
    const { summary, ...rest } = report(steps, { interrupted });
    expect(rest).toMatchObject(expected);
    expect(summary).toContain(says);
  });

  test('requests that waited for a connection at a good rate are told of', () => {
    expect(report([stepWith(100, { queued: 7 }), BAD]).notes[1]).toContain('7 of 100 at 100/s');
  });
});

test('the table has a row a step, by rate, and the figures of the service if it tells some', () => {
  const [target, , heading, ...rest] = tableOf(report([BAD, GOOD]));
  expect(target).toBe(`GET ${report([]).url}`);
  expect(heading?.trim().split(/ {2,}/)).toEqual(
    'rate/s,achieved/s,p50 ms,p99 ms,p99.9 ms,errors %,loop delay ms,RSS MB,CPU %,SLO'.split(','),
  );
  expect(rest.slice(0, 2).map((row) => row.trim().split(/ +/))).toEqual([
    ['100', '100', '1', '1', '1', '0', '12.3', '256', '75.6', 'held'],
    ['150', '120', '5', '123', '2345', '0', '12.3', '256', '75.6', 'p99'],
  ]);
  expect(tableOf(report([stepWith(100)])).join('\n')).not.toContain('RSS');
});

/** Elements in their order, of a document that has to be well-formed: every one is closed, every attribute quoted. */
function elementsOf(page: string): { name: string; attributes: Record<string, string> }[] {
  const elements: { name: string; attributes: Record<string, string> }[] = [];
  const open: string[] = [];
  const body = page.replace(/^<!DOCTYPE html>\n/, '').replace(/<style>[^<]*<\/style>/, '<style></style>');
  const rest = body.replace(
    /<(\/?)([a-z][a-z0-9]*)((?: [a-zA-Z][a-zA-Z0-9-]*="[^"<]*")*)(\/?)>/g,
    (_, end: string, name: string, text: string, empty: string) => {
      if (end) expect(open.pop()).toBe(name);
      else {
        const attributes = [...text.matchAll(/ ([a-zA-Z0-9-]+)="([^"]*)"/g)].map(([, key, value]) => [
          key,
          value,
        ]);
        elements.push({ name, attributes: Object.fromEntries(attributes) });
        if (!empty) open.push(name);
      }
      return '';
    },
  );
  expect(open).toEqual([]);
  expect(rest).not.toMatch(/[<>]|&(?!(?:amp|lt|gt|quot|#39);)/);
  return elements;
}

describe('the page', () => {
  const page = pageOf(report([GOOD, BAD]));
  const elements = elementsOf(page);
  const named = (name: string) => elements.filter((element) => element.name === name);

  test('has no script, no password and nothing that is elsewhere', () => {
    expect(new Set(elements.map(({ name }) => name))).toEqual(
      new Set(
        'html head meta title style body main h1 p strong figure figcaption span svg line text g polyline circle path div table caption thead tbody tr th td'.split(
          ' ',
        ),
      ),
    );
    for (const { attributes } of elements) {
      for (const name of Object.keys(attributes)) expect(name).not.toMatch(/^on|^(?:src|href|style)$/);
    }
    expect(named('meta').map(({ attributes }) => attributes.content)).toContain(
      "default-src 'none'; style-src 'unsafe-inline'",
    );
    expect(page.match(/<style>[^<]*<\/style>/)?.[0]).not.toMatch(/url\(|@import/);
    expect(page).not.toContain('s3cret');
    expect(page).toContain('&lt;b&gt;');
  });

  test('plots what was measured', () => {
    const titles = [...page.matchAll(/<title id="plot-\d">([^<]*)/g)].map(([, title]) => title);
    expect(titles).toEqual([
      'Latency: p50, p99, p99.9. The table has the figures.',
      'Achieved rate: asked, answered well in time. The table has the figures.',
      'Event-loop delay of the service: p99, mean. The table has the figures.',
      'Memory of the service: RSS. The table has the figures.',
    ]);
    for (const { attributes } of named('polyline')) {
      const points = attributes.points!.split(' ').map((point) => point.split(',').map(Number));
      expect(points).toHaveLength(2);
      for (const [x, y] of points) {
        expect(x).toBeGreaterThanOrEqual(0);
        expect(x).toBeLessThanOrEqual(480);
        expect(y).toBeGreaterThanOrEqual(0);
        expect(y).toBeLessThanOrEqual(270);
      }
    }
    // Rates asked: the second is half again as far from the axis as the first.
    const asked = named('polyline')[3]!
      .attributes.points!.match(/[\d.]+/g)!
      .map(Number);
    expect((asked[2]! - 56) / (asked[0]! - 56)).toBeCloseTo(1.5, 2);
    expect((226 - asked[3]!) / (226 - asked[1]!)).toBeCloseTo(1.5, 2);
  });

  test('is for readers of all kinds', () => {
    expect(named('html')[0]?.attributes.lang).toBe('en');
    expect(named('meta').map(({ attributes }) => attributes.name)).toEqual([
      undefined,
      undefined,
      'viewport',
      'color-scheme',
    ]);
    expect(page).toContain('@media (prefers-color-scheme: dark)');
    expect(named('caption')).toHaveLength(2);
    for (const { attributes } of named('th')) expect(attributes.scope).toMatch(/^(?:row|col)$/);
    for (const { attributes } of named('svg')) {
      expect(attributes).toMatchObject({ role: 'img' });
      expect(page).toContain(`<title id="${attributes['aria-labelledby']}">`);
    }
  });

  test('is well-formed for any outcome', () => {
    const nothing = stepWith(1, { statuses: {}, lost: 1, latency: null, inTime: 0 });
    for (const steps of [[], [GOOD], [nothing], [stepWith(1, { latency: flat(0.001) })]]) {
      const text = pageOf(report(steps));
      elementsOf(text);
      expect(text).not.toMatch(/NaN|Infinity|undefined/);
    }
  });
});

describe('metrics of a service', () => {
  test('as prom-client exposes them', async () => {
    const client = require('prom-client') as typeof import('prom-client');
    const registry = new client.Registry();
    client.collectDefaultMetrics({ register: registry });
    const sample = readExposition(await registry.metrics());
    expect(sample?.resident).toBeGreaterThan(1e7);
    expect(sample?.heapUsed).toBeGreaterThan(1e6);
    expect(sample?.cpu).toBeGreaterThan(0);
    expect(sample?.delayP99).toBeGreaterThanOrEqual(0);
  });

  test('as keelson exposes them', async () => {
    const { metrics } = require('keelson') as typeof import('keelson');
    const sample = readExposition(await metrics.text());
    expect(sample?.resident).toBeGreaterThan(1e7);
    expect(sample?.cpu).toBeGreaterThan(0);
    expect(sample?.delayP99).toBeGreaterThanOrEqual(0);
  });

  test('of several threads: the worst delay, the sum of memory', () => {
    const text = [
      '# HELP nodejs_eventloop_lag_p99_seconds Late.',
      'nodejs_eventloop_lag_p99_seconds{thread="0"} 0.25',
      'nodejs_eventloop_lag_p99_seconds{thread="a}\\"b"} 0.5 1700000000000',
      'nodejs_eventloop_lag_p99_seconds{thread="2"} NaN',
      'process_resident_memory_bytes 1e8',
      'process_resident_memory_bytes{pid="2"}\t2e8',
      'process_cpu_seconds_total 12.5\r',
      'process_cpu_seconds_total_of_others 99',
    ].join('\n');
    expect(readExposition(text)).toEqual({
      delayP99: 0.5,
      delayMean: undefined,
      resident: 3e8,
      heapUsed: undefined,
      cpu: 12.5,
    });
    for (const other of ['', '<html>', 'up 1', '{'.repeat(1e5), `up{a="${'\\'.repeat(1e5)}`]) {
      expect(readExposition(other)).toBeUndefined();
    }
  });
});
