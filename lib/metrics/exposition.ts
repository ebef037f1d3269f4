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
  const lines = [`# HELP ${name} ${help.replaceAll('\\', '\\\\')}`, `# TYPE ${name} ${type}`];
  if (family.type !== 'histogram') {
    for (const { labels, value } of family.points) {
      const pairs = pairsOf(labels);
      lines.push(pairs === '' ? `${name} ${value}` : `${name}{${pairs}} ${value}`);
    }
  } else {
    for (const { labels, count, sum, buckets } of family.points) {
      const pairs = pairsOf(labels);
      const [start, braces] = pairs === '' ? ['', ''] : [`${pairs},`, `{${pairs}}`];
      for (const { le, count: within } of buckets) lines.push(`${name}_bucket{${start}le="${le}"} ${within}`);
      lines.push(`${name}_bucket{${start}le="+Inf"} ${count}`);
      lines.push(`${name}_sum${braces} ${sum}`, `${name}_count${braces} ${count}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

/** Labels of series are the same objects each time. */
const known = new WeakMap<Labels, string>();

function pairsOf(labels: Labels): string {
  const found = known.get(labels);
  if (found !== undefined) return found;
  const pairs = Object.entries(labels).map(([label, text]) => `${prometheusLabel(label)}="${escaped(text)}"`);
  const made = pairs.join(',');
  known.set(labels, made);
  return made;
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}
