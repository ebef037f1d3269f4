// `npm run bench -- [filter...] [--rounds N] [--quick] [--node PATH]...`: measures the benchmarks whose name contains one
// of the filters (all without one) and rewrites their rows in results/ and RESULTS.md. With --quick there is one round,
// the benchmarks of the whole service take a tenth of their time, and nothing is written.
import { parseArgs } from 'node:util';
import { nodeBinary } from '../scripts/nodes.mjs';
import { describeEnvironment } from './harness/environment.mjs';
import { advantage, number } from './harness/format.mjs';
import { measure } from './harness/measure.mjs';
import { renderReport } from './harness/report.mjs';
import { merge, readAll, writeReport } from './harness/store.mjs';
import { askedOf } from './harness/verdict.mjs';
import { loadBenchmarks } from './suites/index.mjs';

/** The newest version that people build on, and the oldest that `engines` allows. */
const MAJORS = ['24', '20'];

const { values: options, positionals: filters } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string' },
    quick: { type: 'boolean' },
    node: { type: 'string', multiple: true },
  },
});
if (options.quick) {
  options.rounds ??= '1';
  process.env.BENCHMARK_QUICK = '1';
}
const rounds = options.rounds === undefined ? undefined : Number(options.rounds);
if (rounds !== undefined && !(Number.isInteger(rounds) && rounds > 0)) {
  throw new Error(`--rounds must be a positive integer, not ${options.rounds}`);
}

// Through exit(), so that the contestants are ended too.
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => process.exit(1));
}

const all = await loadBenchmarks();
const chosen = all.filter(
  ({ name }) => filters.length === 0 || filters.some((filter) => name.includes(filter)),
);
if (chosen.length === 0) {
  throw new Error(
    `no benchmark's name contains ${filters.join(' or ')}; there are:\n${all.map(({ name }) => name).join('\n')}`,
  );
}

for (const execPath of options.node ?? MAJORS.map(nodeBinary)) {
  await measureUnder(execPath);
}

async function measureUnder(execPath) {
  const environment = describeEnvironment(execPath);
  const major = Number.parseInt(environment.node, 10);
  const order = all.map(({ name }) => name);
  print(`Node.js ${environment.node}`);
  for (const benchmark of chosen) {
    try {
      const measured = await measure(benchmark, { execPath, rounds });
      const { name, question, notes, unlike } = benchmark;
      const measuredOn = new Date().toISOString().slice(0, 10);
      const result = { name, question, notes, unlike, measuredOn, environment, ...measured };
      // After each benchmark, so that a run that is broken off has lost nothing.
      if (!options.quick) {
        merge(major, [result], order);
        writeReport(renderReport(readAll()));
      }
      printResult(result);
    } catch (error) {
      process.exitCode = 1;
      print(`${benchmark.name}: FAILED\n${error.message}`);
    }
  }
}

function printResult(result) {
  print(result.name);
  for (const [key, metric] of Object.entries(result.metrics)) {
    const cells = Object.entries(metric.contestants).map(([name, { median, advantage: ours }]) => {
      const versus = ours === undefined ? '' : ` (keelson is ${advantage(metric, ours.median)})`;
      return `${name} ${number(median)}${versus}`;
    });
    print(`  ${key}, ${metric.unit}: ${cells.join(', ')}`);
  }
  for (const { key, asked, reached } of askedOf(result)) {
    print(`  asked, ${key} ${asked}: ${reached ? 'reached' : 'MISSED'}`);
  }
}

function print(line) {
  process.stdout.write(`${line}\n`);
}
