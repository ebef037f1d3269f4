import { prometheusLabel } from './family.js';
import type { MetricFamily } from './points.js';

/** Of what {@link exposition} gives. */
export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

type Labels = Readonly<Record<string, string>>;

/** Prometheus' text format 0.0.4: https://prometheus.io/docs/instrumenting/exposition_formats/. */
export function exposition(families: readonly MetricFamily[]): string {
  return families.map(textOf).join('\n');
}

function textOf(family: MetricFamily): string {
  const { prometheusName: name, help, type } = family;
  const lines = [
    `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`,
    `# TYPE ${name} ${type}`,
  ];
  if (family.type !== 'histogram') {
    for (const { labels, value } of family.points) lines.push(line(name, labels, value));
  } else {
    for (const { labels, count, sum, buckets } of family.points) {
      for (const { le, count: within } of buckets)
        lines.push(line(`${name}_bucket`, { ...labels, le: String(le) }, within));
      lines.push(line(`${name}_bucket`, { ...labels, le: '+Inf' }, count));
      lines.push(line(`${name}_sum`, labels, sum), line(`${name}_count`, labels, count));
    }
  }
  return `${lines.join('\n')}\n`;
}

function line(name: string, labels: Labels, value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${prometheusLabel(label)}="${escaped(text)}"`);
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}`;
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}
