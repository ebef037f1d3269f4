/** The value below which a share `p` (0 to 1) of the samples lies, by the nearest-rank method. */
export function percentile(samples, p) {
  const sorted = Float64Array.from(samples).sort();
  return sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)];
}

/** The middle sample, or the mean of the two middle ones. */
export function median(samples) {
  const sorted = Float64Array.from(samples).sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export function summarize(samples) {
  return {
    median: median(samples),
    min: Math.min(...samples),
    p90: percentile(samples, 0.9),
    samples: samples.map((sample) => Number(sample.toPrecision(5))),
  };
}

/**
 * How much better the subject is than a peer. The two are compared round by round and the median of those is
 * taken, because a machine that slows down for a round slows both: the ratio of two medians would mix rounds.
 *
 * - `ratio`: how many times better, above 1 where the subject wins
 * - `difference`: how much better, where a ratio means nothing (shares of a whole, values around zero)
 */
export function compare(metric, subject, peer) {
  const rounds = subject.map((ours, round) => {
    const [better, worse] = metric.better === 'lower' ? [ours, peer[round]] : [peer[round], ours];
    return metric.compare === 'difference' ? worse - better : worse / better;
  });
  return { median: median(rounds), worst: Math.min(...rounds), best: Math.max(...rounds) };
}
