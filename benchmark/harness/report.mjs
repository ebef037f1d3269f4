import { advantage, number, table } from './format.mjs';
import { askedOf, lossesOf } from './verdict.mjs';

const PREFACE = `# Benchmark results

Written by \`npm run bench\`; the samples are in \`results/\`. Do not edit.

Every contestant is a process of its own, so that no compiled code, heap or collector is shared. The processes are sampled in turn, round after round, in rotated order, after warm-up rounds; all others are stopped meanwhile. In each round every contestant replays the same input, and what it found there (hits, sums, fired timers) must equal what the others found, or the run fails.

\`keelson is\` is the median over the rounds of the ratio within one round, with the worst and the best round in brackets: above 1x keelson is better, below 1x it is worse. Where a ratio means nothing it is the difference, positive where keelson is better. \`min\` and \`p90\` (nine tenths of the samples are at or below it) are a contestant's own.
`;

/** The whole report: a section for each Node.js version, newest first. */
export function renderReport(files) {
  const sections = files
    .toSorted((a, b) => b.major - a.major)
    .map(({ major, benchmarks }) => renderNode(major, Object.values(benchmarks)));
  return `${PREFACE}\n${sections.join('\n')}`;
}

function renderNode(major, results) {
  return [
    `## Node.js ${major}\n`,
    `${renderMachines(results)}\n`,
    '### What was asked\n',
    `${renderAsked(results)}\n`,
    '### Where keelson is behind\n',
    `${renderLosses(results)}\n`,
    ...results.map(renderBenchmark),
  ].join('\n');
}

/** One line, unless filtered runs were made on different machines. */
function renderMachines(results) {
  const lines = results.map(({ environment: e }) => {
    return `- Node.js ${e.node} (V8 ${e.v8}), ${e.platform}, ${e.cpu}, ${e.cores} cores, ${e.memory}`;
  });
  return [...new Set(lines)].join('\n');
}

function renderAsked(results) {
  const rows = results.flatMap((result) =>
    askedOf(result).map(({ key, asked, measured, reached }) => [
      `${result.name} (${key})`,
      asked,
      measured,
      reached ? 'reached' : '**missed**',
    ]),
  );
  return table(['benchmark', 'asked', 'measured', ''], rows);
}

function renderLosses(results) {
  const rows = results.flatMap((result) =>
    lossesOf(result).map(({ key, metric, peer, measured }) => [
      `${result.name} (${key})`,
      peer,
      advantage(metric, measured),
    ]),
  );
  return rows.length === 0 ? 'Nowhere, among these.' : table(['benchmark', 'behind', 'keelson is'], rows);
}

function renderBenchmark(result) {
  const { environment, rounds, measuredOn, notes = [], unlike = {} } = result;
  const remarks = [
    ...notes,
    ...Object.entries(unlike).map(([name, why]) => `Not cross-checked: ${name} ${why}.`),
  ];
  return [
    `### ${result.name}\n`,
    `${result.question}\n`,
    ...Object.entries(result.metrics).map(([key, metric]) => `${renderMetric(key, metric)}\n`),
    ...(remarks.length > 0 ? [`${remarks.map((remark) => `- ${remark}`).join('\n')}\n`] : []),
    `${rounds} rounds on ${measuredOn} at ${environment.commit}.\n`,
  ].join('\n');
}

function renderMetric(key, metric) {
  const head = [`${key}, ${metric.unit}, ${metric.better} is better`, 'median', 'min', 'p90', 'keelson is'];
  const rows = Object.entries(metric.contestants).map(([name, { median, min, p90, advantage: ours }]) => [
    name,
    ...[median, min, p90].map(number),
    ours === undefined
      ? ''
      : `${advantage(metric, ours.median)} (${advantage(metric, ours.worst)} to ${advantage(metric, ours.best)})`,
  ]);
  return table(head, rows);
}
