import { readFileSync } from 'node:fs';

// Loads of services that were recorded: where they are from is in README.md.

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
/** Requests a second that a trace is scaled to, on average: what a dozen replicas bear. */
const MEAN = 1_000;

/** The counts of a file, as they were. */
function countsOf(file) {
  const text = readFileSync(new URL(file, import.meta.url), 'utf8');
  const lines = text.split('\n').filter((line) => !line.startsWith('#'));
  return lines.flatMap((line) => line.split(' ').filter(Boolean)).map(Number);
}

/** Requests a second, as if the service were larger: what it does from one interval to the next stays what it was. */
function scaled(counts) {
  const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  return Float64Array.from(counts, (count) => (count * MEAN) / mean);
}

const loadBalancer = scaled(countsOf('loadBalancerRequests.txt'));
const fiveMinutes = { interval: 5 * MINUTE, warmup: (2 * DAY) / (5 * MINUTE), loads: () => loadBalancer };

export const recorded = {
  'recorded load balancer': fiveMinutes,
  'recorded load balancer, the season a day': { ...fiveMinutes, season: DAY },
};
