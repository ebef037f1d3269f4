import type { MetricFamily } from '../metrics/points.js';

/** A family as the page gets it: values of labels in the order of their names, and bounds once instead of in each point. */
export interface FamilyMessage {
  readonly name: string;
  readonly labels: readonly string[];
  /** Upper ends of buckets in seconds, of a histogram. */
  readonly bounds?: readonly number[];
  /** Of a histogram: count, sum, and how many were no longer than each of the bounds. */
  readonly points: readonly (readonly [
    labels: readonly (string | null)[],
    value: number | readonly number[],
  ])[];
}

/** An event of the stream. */
export function eventOf(name: string, data: unknown): string {
  // JSON has no line breaks outside of strings, and escapes those within.
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** The event that tells of all figures. */
export function metricsEvent(families: readonly MetricFamily[]): string {
  return eventOf('metrics', { uptime: process.uptime(), families: families.map(messageOf) });
}

function messageOf(family: MetricFamily): FamilyMessage {
  const { name, labels } = family;
  // Of what is beyond the series that a family may have only that is told.
  const valuesOf = ({ overflow, ...of }: Readonly<Record<string, string>>) =>
    labels.map((label) => of[label] ?? (overflow === undefined ? null : 'others'));
  if (family.type !== 'histogram')
    return { name, labels, points: family.points.map((point) => [valuesOf(point.labels), point.value]) };
  const bounds = family.points[0]?.buckets.map(({ le }) => le) ?? [];
  const points = family.points.map(
    ({ labels: of, count, sum, buckets }) =>
      [valuesOf(of), [count, sum, ...buckets.map((bucket) => bucket.count)]] as const,
  );
  return { name, labels, bounds, points };
}
