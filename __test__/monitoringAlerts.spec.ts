import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ALERT_CASES, type AlertCase } from './support/alertCases';
import { alerts, RULES } from './support/monitoring';
import { program } from './support/servers/programs';

// The rules are evaluated by Prometheus itself: promtool goes through given series, and tells which alerts fire.

const folder = mkdtempSync(join(tmpdir(), 'keelson-alerts-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** What it prints, its exit code first. */
function promtool(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(program('promtool'), args, { encoding: 'utf8' });
  return `${status}\n${stdout}${stderr}`;
}

/** A series of the process that the cases are of. */
function seriesOf([series, values]: [string, string]) {
  const [name, labels = ''] = series.split(/[{}]/);
  return { series: `${name}{${['job="api"', 'instance="a"', labels].filter(Boolean).join(',')}}`, values };
}

/** What promtool finds when it compares the alerts that fire after so many minutes, of all that there are. */
function fires(series: AlertCase['fires'], at: number, expected: readonly Record<string, string>[]) {
  const name = 'ALERTS{alertstate="firing"}';
  const samples = expected.map((labels) => {
    const pairs = Object.entries({ ...labels, alertstate: 'firing' });
    return {
      labels: `ALERTS{${pairs.map(([label, value]) => `${label}=${JSON.stringify(value)}`)}}`,
      value: 1,
    };
  });
  const test = {
    interval: '1m',
    input_series: Object.entries(series).map(seriesOf),
    promql_expr_test: [{ expr: name, eval_time: `${at}m`, exp_samples: samples }],
  };
  const file = join(folder, 'test.json');
  // JSON is YAML.
  writeFileSync(file, JSON.stringify({ rule_files: [RULES], evaluation_interval: '1m', tests: [test] }));
  return promtool('test', 'rules', file);
}

test('Prometheus takes the rules', () => {
  expect(promtool('check', 'rules', '--lint-fatal', RULES)).toMatch(/^0\n/);
});

test('there is a case for each alert', () => {
  expect(ALERT_CASES.map(({ alert }) => alert)).toEqual(alerts.map(({ alert }) => alert));
});

describe.each(ALERT_CASES)('$alert', ({ alert, at, labels, isOfJob, fires: given, quiet }) => {
  const severity = alerts.find((rule) => rule.alert === alert)!.labels!.severity!;
  const process: Record<string, string> = isOfJob ? { job: 'api' } : { job: 'api', instance: 'a' };

  test('fires, and none but it', () => {
    expect(fires(given, at, [{ alertname: alert, severity, ...process, ...labels }])).toMatch(/^0\n/);
  });

  test('is quiet where it looks alike', () => {
    expect(fires(quiet, at, [])).toMatch(/^0\n/);
  });
});
