import { totalmem } from 'node:os';
import { setting } from '../config/current.js';
import { containerUse, heapUse, type Use } from '../systemMemory.js';
import { options as named } from '../validate.js';
import { cgroupUse } from './cgroup.js';
import { Level } from './level.js';
import { type HealthResult, type MemoryOptions, type Thresholds, thresholdsOf } from './options.js';

interface Measurement {
  readonly measure: () => Use | undefined;
  readonly what: string;
  readonly warn: number;
}

const MEBI = 2 ** 20;

const MEASUREMENTS: Readonly<Record<keyof MemoryOptions, Measurement>> = {
  heap: { measure: heapUse, what: 'the heap has', warn: 0.85 },
  rss: { measure: processUse, what: 'the process has', warn: 0.85 },
  cgroup: { measure: cgroupUse, what: 'the container has', warn: 0.9 },
};
const NAMES = ['heap', 'rss', 'cgroup'] as const;

function processUse(): Use {
  const machine = totalmem();
  const container = containerUse();
  return container !== undefined && container.limit < machine
    ? container
    : { used: process.memoryUsage.rss(), limit: machine };
}

/** From which shares on a measurement warns and fails. */
export function levelsOf(name: keyof MemoryOptions, given: Thresholds): { warn: number; fail: number } {
  const { warn } = MEASUREMENTS[name];
  return thresholdsOf(`memory.${name}`, given, { warn, fail: setting(`health.memory.${name}.fail`) });
}

/** The checks of memory that are there on this system, by their keys. */
export function memoryChecks(given: MemoryOptions): [key: string, check: () => HealthResult][] {
  named<MemoryOptions>('memory', given, NAMES);
  const checks: [string, () => HealthResult][] = [];
  for (const name of NAMES) {
    const chosen = given[name] ?? {};
    if (chosen === false) continue;
    const { measure, what } = MEASUREMENTS[name];
    const level = new Level(levelsOf(name, chosen));
    if (measure() === undefined) continue;
    checks.push([`memory:${name}`, () => resultOf(measure(), what, level)]);
  }
  return checks;
}

function resultOf(use: Use | undefined, what: string, level: Level): HealthResult {
  // A limit that was lifted is no limit.
  const { used, limit } = use ?? { used: 0, limit: 1 };
  const mebi = (bytes: number): number => Math.round(bytes / MEBI);
  return {
    status: level.of(used / limit),
    observedValue: Math.round((used / limit) * 1_000) / 10,
    observedUnit: 'percent',
    output: `${what} ${mebi(used)} MiB of ${mebi(limit)}`,
  };
}
