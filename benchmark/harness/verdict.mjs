import { advantage, number } from './format.mjs';

/** Below these the subject is called worse; between them and a draw the two are alike within the noise. */
const LOSING_RATIO = 0.95;
const LOSING_DIFFERENCE = -0.2;

/**
 * How each thing that was asked for came out, of all metrics of a benchmark's result. It is `{ peer, atLeast }`,
 * an advantage over a peer; `{ peer, atMost }`, a share of what a peer has, for what may be nothing; or, without a peer,
 * `{ atMost }` or `{ atLeast }`, a bound to the subject's own median.
 */
export function askedOf(result) {
  return Object.entries(result.metrics).flatMap(([key, metric]) =>
    (metric.asked ?? []).map((asked) => ({ key, ...outcome(metric, asked) })),
  );
}

function outcome(metric, { peer, atLeast, atMost }) {
  if (peer === undefined) {
    const [{ median }] = Object.values(metric.contestants);
    return {
      asked: `${atMost === undefined ? '>=' : '<='} ${number(atMost ?? atLeast)} ${metric.unit}`,
      measured: `${number(median)} ${metric.unit}`,
      reached: atMost === undefined ? median >= atLeast : median <= atMost,
    };
  }
  if (atMost !== undefined) {
    const [{ median }] = Object.values(metric.contestants);
    const { median: theirs } = metric.contestants[peer];
    return {
      asked: `<= ${number(atMost)}x ${peer}`,
      measured: `${number(median)} of ${number(theirs)} ${metric.unit}`,
      reached: median <= atMost * theirs,
    };
  }
  const { median } = metric.contestants[peer].advantage;
  return {
    asked: `>= ${advantage(metric, atLeast)} ${peer}`,
    measured: advantage(metric, median),
    reached: median >= atLeast,
  };
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
