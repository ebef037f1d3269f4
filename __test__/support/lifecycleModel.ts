/** The phases, written down once more. */
export const PHASES = ['accept', 'requests', 'timers', 'queues', 'pools', 'loggers'] as const;

export interface Resource {
  name: string;
  phase: number;
  dependsOn: string[];
  /** Milliseconds that it takes to stop. */
  takes: number;
}

export interface Times {
  phase: number;
  begin: number;
  end: number;
}

/**
 * When each resource of a shutdown stops, by the plainest means: phases are raised as long as one is lower than that of a resource
 * which depends on it; then, phase by phase, whatever has no dependent left begins as soon as the last one of them has ended.
 */
export function timesOf(resources: Resource[]): Map<string, Times> {
  const phases = new Map(resources.map(({ name, phase }) => [name, phase]));
  for (let hasChanged = true; hasChanged; ) {
    hasChanged = false;
    for (const { name, dependsOn } of resources) {
      for (const other of dependsOn) {
        if (phases.get(other)! >= phases.get(name)!) continue;
        phases.set(other, phases.get(name)!);
        hasChanged = true;
      }
    }
  }
  const times = new Map<string, Times>();
  let now = 0;
  for (const phase of PHASES.keys()) {
    const here = resources.filter(({ name }) => phases.get(name) === phase);
    while (here.some(({ name }) => !times.has(name))) {
      for (const { name, takes } of here) {
        const dependents = resources.filter(({ dependsOn }) => dependsOn.includes(name));
        if (times.has(name) || dependents.some((one) => !times.has(one.name))) continue;
        const begin = Math.max(now, ...dependents.map((one) => times.get(one.name)!.end));
        times.set(name, { phase, begin, end: begin + takes });
      }
    }
    now = Math.max(now, ...here.map(({ name }) => times.get(name)!.end));
  }
  return times;
}
