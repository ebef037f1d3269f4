/** Below these the subject is called worse; between them and a draw the two are alike within the noise. */
const LOSING_RATIO = 0.95;
const LOSING_DIFFERENCE = -0.2;

/** How each thing that was asked for came out, of all metrics of a benchmark's result. */
export function askedOf(result) {
  return Object.entries(result.metrics).flatMap(([key, metric]) =>
    (metric.asked ?? []).map(({ peer, atLeast }) => {
      const measured = metric.contestants[peer].advantage.median;
      return { key, metric, peer, atLeast, measured, reached: measured >= atLeast };
    }),
  );
}

/** The peers that do better than the subject. */
export function lossesOf(result) {
  return Object.entries(result.metrics).flatMap(([key, metric]) =>
    Object.entries(metric.contestants)
      .filter(([, { advantage }]) => advantage !== undefined && advantage.median < limitOf(metric))
      .map(([peer, { advantage }]) => ({ key, metric, peer, measured: advantage.median })),
  );
}

const limitOf = (metric) => (metric.compare === 'difference' ? LOSING_DIFFERENCE : LOSING_RATIO);
