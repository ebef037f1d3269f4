import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as keelson from 'keelson';
import useEverything from './support/everything';
import { alerts, DASHBOARD, rules } from './support/monitoring';
import { type Expression, read, type Selector } from './support/promql';

interface Panel {
  id: number;
  type: string;
  title: string;
  description?: string;
  datasource?: { uid: string };
  gridPos: { x: number; y: number; w: number; h: number };
  targets?: { expr: string; legendFormat: string; refId: string; datasource: { uid: string } }[];
  panels?: Panel[];
}

const dashboard = JSON.parse(readFileSync(DASHBOARD, 'utf8')) as {
  schemaVersion: number;
  panels: Panel[];
  templating: { list: { name: string; type: string; definition?: string }[] };
};
const rows = dashboard.panels.filter(({ type }) => type === 'row');
const folded = rows.map((row) => row.panels!);
const panels = [dashboard.panels.filter(({ type }) => type !== 'row'), ...folded].flat();
const targets = panels.flatMap((panel) => panel.targets!.map((target) => ({ ...target, panel })));

const readTarget = (expression: string) => read(expression.replaceAll('$__rate_interval', '5m'));
const ofDashboard = targets.map(({ panel, expr }) => [panel.title, expr, readTarget(expr)] as const);
const ofRules = rules.map((rule) => [rule.alert ?? rule.record!, rule.expr, read(rule.expr)] as const);
const expressions = [...ofDashboard, ...ofRules];

/** By the names that Prometheus knows: whether it counts, and its labels. */
const metrics = new Map<string, { counts: boolean; labels: readonly string[] }>();
for (const { prometheusName, type, labels } of keelson.metrics.definitions()) {
  const known = labels.map((label) => label.replaceAll('.', '_'));
  const counts = type !== 'gauge';
  if (type !== 'histogram') metrics.set(prometheusName, { counts, labels: known });
  else {
    metrics.set(`${prometheusName}_bucket`, { counts, labels: [...known, 'le'] });
    for (const part of ['sum', 'count']) metrics.set(`${prometheusName}_${part}`, { counts, labels: known });
  }
}
const labelsOfResult = ({ result }: Expression): readonly string[] =>
  result.labels ?? metrics.get(result.metric!)!.labels;
for (const rule of rules.filter(({ record }) => record !== undefined))
  metrics.set(rule.record!, { counts: false, labels: labelsOfResult(read(rule.expr)) });

/** Labels that Prometheus itself gives to what it scrapes. */
const SCRAPED = ['job', 'instance'];
const RATES = ['rate', 'increase'];

test.each(expressions)('%s: %s is PromQL on metrics and labels that there are', (_, text, expression) => {
  expect(text).not.toBe('');
  expect(expression.isValid).toBe(true);
  expect(expression.selectors).not.toEqual([]);
  for (const { metric, matchers, over, by } of expression.selectors) {
    const known = metrics.get(metric);
    expect([metric, known !== undefined]).toEqual([metric, true]);
    const labels = [...SCRAPED, ...known!.labels];
    expect(labels).toEqual(expect.arrayContaining([...matchers.map(({ label }) => label), ...by]));
    // A counter means something by how fast it grows; a gauge by what it is.
    expect([metric, RATES.includes(over ?? '')]).toEqual([metric, known!.counts]);
    // Without their bounds buckets would be added up.
    if (metric.endsWith('_bucket')) expect(by).toContain('le');
  }
  const every = expression.selectors.flatMap(({ metric }) => metrics.get(metric)!.labels);
  expect([...SCRAPED, ...every]).toEqual(expect.arrayContaining([...expression.on]));
});

/** The metric that a name is of, be it a part of a histogram. */
const familyOf = (name: string) => name.replace(/_(bucket|sum|count)$/, '');

test('the dashboard shows all metrics', () => {
  const shown = new Set(ofDashboard.flatMap(([, , { selectors }]) => selectors.map(({ metric }) => metric)));
  const families = new Set([...shown].flatMap((name) => [name, familyOf(name)]));
  const names = keelson.metrics.definitions().map(({ prometheusName }) => prometheusName);
  expect(names.filter((name) => !families.has(name))).toEqual([]);
});

describe('what a service tells', () => {
  /** By metric and label, the values that were told. */
  const told = new Map<string, Map<string, Set<string>>>();

  function note(text: string) {
    for (const line of text.split('\n').filter((one) => one !== '' && !one.startsWith('#'))) {
      const [, name, labels = ''] = /^(\w+)(?:\{(.*)\})? \S+$/.exec(line)!;
      const values = told.get(name!) ?? new Map<string, Set<string>>();
      told.set(name!, values);
      for (const [, label, value] of labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g))
        values.set(label!, (values.get(label!) ?? new Set()).add(value!));
    }
  }

  beforeAll(async () => {
    const timers = new keelson.TimerManager();
    timers.schedule(() => {}, 60_000, { group: 'a' });
    const scaling = new keelson.Scaling({ name: 'told', capacity: 10, max: 9, interval: 50 });
    scaling.gauge(() => 42);
    // Instances end while everything is used, and their gauges with them.
    let isOver = false;
    const scraping = (async () => {
      while (!isOver || !told.has('keelson_scaling_replicas')) {
        note(await keelson.metrics.text());
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    })();
    await useEverything(keelson, { leave: false });
    note(await keelson.metrics.text());
    isOver = true;
    await scraping;
    timers.destroy();
    await scaling.close();
  });

  test('has all metrics', () => {
    const names = keelson.metrics.definitions().map(({ prometheusName }) => prometheusName);
    const missing = names.filter((name) => !told.has(name) && !told.has(`${name}_count`));
    // It is known once Redis has answered, which it has at most to another spec of this process.
    expect(missing.filter((name) => name !== 'keelson_tiered_cache_staleness_seconds')).toEqual([]);
  });

  test('has the values of labels that expressions ask for', () => {
    const asked = expressions
      .flatMap(([, , { selectors }]) => selectors)
      .flatMap(({ metric, matchers }: Selector) => matchers.map((matcher) => ({ metric, ...matcher })))
      .filter(({ value }) => !value.startsWith('$'));
    const absent = asked.flatMap(({ metric, label, operator, value }) => {
      const values = operator.endsWith('~') ? value.split('|') : [value];
      return values
        .filter((one) => !told.get(metric)!.get(label)?.has(one))
        .map((one) => `${metric} ${label} ${one}`);
    });
    expect(absent).toEqual([]);
    expect(asked.length).toBeGreaterThan(20);
  });
});

describe('the dashboard', () => {
  test('is the one that the script makes', () => {
    const script = join(__dirname, '..', 'scripts', 'grafana.mjs');
    const printed = execFileSync(process.execPath, [script, '--print'], { encoding: 'utf8' });
    expect(JSON.parse(printed)).toEqual(dashboard);
  });

  test('has panels of types that Grafana still has, each with an id of its own, a title and a description', () => {
    const types = new Set(panels.map(({ type }) => type));
    expect([...types].sort()).toEqual(['stat', 'state-timeline', 'table', 'timeseries']);
    const ids = [...rows, ...panels].map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { title, description } of panels) {
      expect(title).not.toBe('');
      expect(description).toMatch(/\.$/);
    }
  });

  test('has panels that do not overlap', () => {
    for (const group of [dashboard.panels, ...folded]) {
      const cells = group.flatMap(({ gridPos: { x, y, w, h } }) => {
        expect(x + w).toBeLessThanOrEqual(24);
        return Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)} ${y + Math.floor(cell / w)}`);
      });
      expect(new Set(cells).size).toBe(cells.length);
    }
  });

  test('asks the chosen data source for the chosen processes', () => {
    expect(dashboard.templating.list.map(({ name, type }) => [name, type])).toEqual([
      ['datasource', 'datasource'],
      ['job', 'query'],
      ['instance', 'query'],
    ]);
    for (const { panel, datasource } of targets)
      expect([datasource.uid, panel.datasource!.uid]).toEqual(['$datasource', '$datasource']);
    const chosen = [
      { label: 'job', operator: '=~', value: '$job' },
      { label: 'instance', operator: '=~', value: '$instance' },
    ];
    for (const [, , { selectors }] of ofDashboard)
      for (const { matchers } of selectors) expect(matchers).toEqual(expect.arrayContaining(chosen));
  });

  test('has legends of labels that there are', () => {
    for (const { legendFormat, expr } of targets) {
      const used = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label);
      expect(labelsOfResult(readTarget(expr))).toEqual(expect.arrayContaining(used));
    }
  });
});

test('alerts have a name of their own, a severity, a time to wait, and say what is wrong and what to do', () => {
  expect(new Set(alerts.map(({ alert }) => alert)).size).toBe(alerts.length);
  for (const { alert, expr, for: wait, labels, annotations } of alerts) {
    expect(alert).toMatch(/^Keelson[A-Z]\w+$/);
    expect(wait).toMatch(/^[1-9]\d*[mh]$/);
    expect(['warning', 'critical']).toContain(labels!.severity);
    const { summary, description } = annotations!;
    expect(summary).toMatch(/\S/);
    expect(description).toMatch(/[.?]$/);
    const used = [...`${summary}${description}`.matchAll(/\$labels\.(\w+)/g)].map(([, label]) => label);
    expect(labelsOfResult(read(expr))).toEqual(expect.arrayContaining(used));
  }
});
