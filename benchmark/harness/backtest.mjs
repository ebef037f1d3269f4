/** Until a new replica answers, and for how long a lower recommendation waits: as Kubernetes has it. */
export const START = 180_000;
export const STABILIZATION = 300_000;
export const CAPACITY = 100;
export const TARGET = 0.7;

/**
 * Has a rule scale a service through a trace. What is asked for is there `START` later, what is not any more is gone at once; a load
 * beyond the capacity of what is there is not served.
 *
 * @param rule is given each load and answers with a number of replicas
 */
export function backtest({ interval, warmup }, loads, rule) {
  const delay = Math.ceil(START / interval);
  // Of each interval, what is wanted.
  const wanted = [];
  const figures = { under: 0, unserved: 0, offered: 0, replicas: 0, flaps: 0 };
  let direction = 0;
  for (const [index, load] of loads.entries()) {
    // A replica is there once it was wanted for so long.
    const since = wanted.slice(Math.max(0, index - delay - 1), index);
    const ready = since.length === 0 ? Math.ceil(load / (CAPACITY * TARGET)) : Math.min(...since);
    const paid = wanted[index - 1] ?? ready;
    if (index >= warmup) {
      const lost = Math.max(0, load - ready * CAPACITY);
      figures.offered += load;
      figures.unserved += lost;
      figures.under += lost > 0 ? 1 : 0;
      figures.replicas += paid;
    }
    const next = rule(load, index);
    const change = Math.sign(next - (wanted[index - 1] ?? next));
    if (change !== 0) {
      if (index >= warmup && direction !== 0 && change !== direction) figures.flaps++;
      direction = change;
    }
    wanted.push(next);
  }
  const counted = loads.length - warmup;
  return {
    values: {
      under: (100 * figures.under) / counted,
      unserved: (100 * figures.unserved) / figures.offered,
      replicas: figures.replicas / counted,
      flaps: figures.flaps / ((counted * interval) / 86_400_000),
    },
    check: Math.round(figures.offered),
  };
}

/** The rule of the HorizontalPodAutoscaler, which KEDA feeds: what the load needs, and of the latest while the most. */
export function reactive({ interval }, target = TARGET) {
  const recent = [];
  return (load) => {
    recent.push(Math.max(1, Math.ceil(load / (CAPACITY * target))));
    if (recent.length > STABILIZATION / interval + 1) recent.shift();
    return Math.max(...recent);
  };
}
