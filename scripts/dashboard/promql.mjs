// Expressions of the dashboard, all of them on what is chosen at its top.

const CHOSEN = 'job=~"$job",instance=~"$instance"';

/** Series of a metric; `only` are further matchers. */
export const series = (metric, only) => `${metric}{${only ? `${only},` : ''}${CHOSEN}}`;

const by = (aggregation, labels, expression) =>
  `${aggregation}${labels.length === 0 ? '' : ` by (${labels.join(', ')})`} (${expression})`;

export const sum = (metric, labels = [], only) => by('sum', labels, series(metric, only));
export const max = (metric, labels = [], only) => by('max', labels, series(metric, only));
export const min = (metric, labels = [], only) => by('min', labels, series(metric, only));

/** Of a counter, how many a second. */
export const rate = (metric, labels = [], only) =>
  by('sum', labels, `rate(${series(metric, only)}[$__rate_interval])`);

/** The share of a counter that `part` matches. Where nothing is counted there is none. */
export const share = (metric, labels, part) =>
  `${rate(metric, labels, part)} / (${rate(metric, labels)} > 0)`;

/** Of a histogram. */
export const quantile = (q, histogram, labels = []) =>
  `histogram_quantile(${q}, ${rate(`${histogram}_bucket`, ['le', ...labels])})`;

/** The place of a state in a list, of a gauge that is 1 for the state that there is; the last state is looked for first. */
export const state = (metric, labels, states) =>
  states
    .map((name, place) => `${place} * (${max(metric, labels, `state="${name}"`)} > 0)`)
    .reverse()
    .join(' or ');
