import { MERGE } from './native.js';

/** What a metric is of: see {@link MetricDefinition}. */
export type MetricType = 'counter' | 'gauge' | 'histogram';

/** A metric that keelson has. */
export interface MetricDefinition {
  /** Its name by the conventions of OpenTelemetry. */
  readonly name: string;
  /** Its name in Prometheus, by OpenTelemetry's rules for that, or as prom-client's default metrics have it. */
  readonly prometheusName: string;
  /** Counters only grow, gauges go up and down, histograms count durations by how long they were. */
  readonly type: MetricType;
  /** A unit of UCUM: `s` seconds, `By` bytes, `1` a share, and in braces what is counted. */
  readonly unit: string;
  readonly help: string;
  /** Names of its labels. */
  readonly labels: readonly string[];
}

/** A metric, and how figures of several threads make one. */
export interface Family extends MetricDefinition {
  readonly merge: (typeof MERGE)[keyof typeof MERGE];
}

interface Details {
  /** Names of labels. */
  labels?: readonly string[];
  /** Where that is not by the rules. */
  prometheusName?: string;
  merge?: Family['merge'];
}

const all = new Map<string, Family>();

/** All families, by their names in order. */
export function families(): Family[] {
  return [...all.values()].sort((one, other) => (one.name < other.name ? -1 : 1));
}

export function familyOf(name: string): Family | undefined {
  return all.get(name);
}

/** Something that is counted, by each thread for itself. */
export function counter(name: string, unit: string, help: string, details?: Details): Family {
  return define(name, 'counter', unit, help, { merge: MERGE.count, ...details });
}

/** A counter that the whole process has in common, so that each thread tells the same. */
export function processCounter(name: string, unit: string, help: string, details?: Details): Family {
  return counter(name, unit, help, { merge: MERGE.max, ...details });
}

/** Something of which each thread has a part. */
export function gauge(name: string, unit: string, help: string, details?: Details): Family {
  return define(name, 'gauge', unit, help, { merge: MERGE.sum, ...details });
}

/** Something that the whole process has in common, or of which the largest counts. */
export function peak(name: string, unit: string, help: string, details?: Details): Family {
  return gauge(name, unit, help, { merge: MERGE.max, ...details });
}

/** 1 where all is well, 0 where it is not for anybody. */
export function allWell(name: string, help: string, details?: Details): Family {
  return gauge(name, '', help, { merge: MERGE.min, ...details });
}

/** Durations, in seconds. */
export function durations(name: string, help: string, details?: Details): Family {
  return define(name, 'histogram', 's', help, { merge: MERGE.count, ...details });
}

function define(
  name: string,
  type: MetricType,
  unit: string,
  help: string,
  { labels = [], prometheusName = prometheus(name, type, unit), merge = MERGE.sum }: Details,
): Family {
  const family = { name, prometheusName, type, unit, help, labels, merge };
  all.set(name, family);
  return family;
}

const UNITS: Readonly<Record<string, string>> = { s: '_seconds', By: '_bytes', '1': '_ratio' };

/** As OpenTelemetry's compatibility rules say: specification, compatibility/prometheus_and_openmetrics.md. */
function prometheus(name: string, type: MetricType, unit: string): string {
  const suffix = (UNITS[unit] ?? '') + (type === 'counter' ? '_total' : '');
  return name.replaceAll('.', '_') + suffix;
}

/** The name of a label in Prometheus. */
export function prometheusLabel(name: string): string {
  return name.replaceAll('.', '_');
}
