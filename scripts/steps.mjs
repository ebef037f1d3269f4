// Runs steps one after another, one line a step; what a step printed is shown only when it failed.
import { root, start } from './lib.mjs';

/** How test runners close: Jest, and cargo test (one line for each binary). */
const TOTALS = /^(?:Tests: |test result: ).*$/gm;

/** Sums of the tests that the output of a runner reports. */
function countTests(output) {
  const lines = output.match(TOTALS) ?? [];
  const sum = (word) =>
    lines.reduce((total, line) => total + Number(new RegExp(`(\\d+) (?:${word})`).exec(line)?.[1] ?? 0), 0);
  return { passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped|ignored|todo') };
}

/** How a person and CI read it; skipped tests never go unmentioned. */
function describe({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/** Runs one step; a step is `{ name, command, cwd?, env?, essential? }`, and a command is an array, or makes one. */
async function runStep({ name, command, cwd = root, env = {} }) {
  process.stdout.write(`${name} `);
  const began = performance.now();
  const { code, output } = await execute(command, { cwd, env });
  const tests = countTests(output);
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  const counted = tests.passed + tests.failed + tests.skipped > 0 ? `, ${describe(tests)}` : '';
  console.log(`${code === 0 ? 'ok' : 'FAILED'} (${seconds} s${counted})`);
  if (code !== 0) console.log(output.trimEnd());
  return { code, tests };
}

async function execute(command, options) {
  try {
    return await start(typeof command === 'function' ? command() : command, options);
  } catch (error) {
    return { code: 1, output: String(error.message) };
  }
}

/**
 * Runs the steps. A failing one does not stop the others, so that one run tells everything, unless it is
 * `essential` to them. Returns the sums of their tests, and the names of the steps that failed.
 */
export async function runSteps(steps) {
  const total = { passed: 0, failed: 0, skipped: 0 };
  const broken = [];
  for (const step of steps) {
    const { code, tests } = await runStep(step);
    for (const kind of Object.keys(total)) total[kind] += tests[kind];
    if (code !== 0) broken.push(step.name);
    if (code !== 0 && step.essential) break;
  }
  return { total, broken };
}

/** Runs steps that test, prints their sums as the last line, and returns the exit code. */
export async function runTests(steps) {
  const { total, broken } = await runSteps(steps);
  console.log(broken.length === 0 ? 'Everything passed.' : `Failed: ${broken.join(', ')}`);
  console.log(describe(total));
  return broken.length === 0 ? 0 : 1;
}
