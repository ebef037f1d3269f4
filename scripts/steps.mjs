// Runs steps one after another, one line a step; what a step printed is shown only when it failed.
import { root, start } from './lib.mjs';

/** How test runners close: Jest, and cargo test (one line for each binary). */
const TOTALS = /^(?:Tests: |test result: ).*$/gm;

/** Sums of the tests that the output of a runner reports. */
function countTests(output) {
  const lines = output.match(TOTALS) ?? [];
  const sum = (word) =>
    lines.reduce((total, line) => total + Number(new RegExp(`(\\d+) (?:${word})`).exec(line)?.[1] ?? 0), 0);
  return { passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped|ignored|todo'), unsteady: 0 };
}

/** How a person and CI read it; tests that were skipped, or passed only at the second time, never go unmentioned. */
function describe({ passed, failed, skipped, unsteady }) {
  const more = [
    skipped > 0 && `${skipped} skipped`,
    unsteady > 0 && `${unsteady} passed only when run alone`,
  ];
  return [`${passed} passed`, `${failed} failed`, ...more.filter(Boolean)].join(', ');
}

/**
 * Runs one step; a step is `{ name, command, cwd?, env?, essential?, again? }`, and a command is an array, or makes one.
 * `again` gives, of what a failed command printed, the command that has the last word on it, or nothing.
 */
async function runStep({ name, command, cwd = root, env = {}, again = () => undefined }) {
  process.stdout.write(`${name} `);
  const began = performance.now();
  let { code, output } = await execute(command, { cwd, env });
  const tests = countTests(output);
  const second = code === 0 ? undefined : again(output);
  if (second !== undefined) {
    const last = await execute(second, { cwd, env });
    output += `\n${second.join(' ')}\n${last.output}`;
    code = last.code;
    if (code === 0) {
      Object.assign(tests, { passed: tests.passed + tests.failed, failed: 0, unsteady: tests.failed });
    }
  }
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  const counted = tests.passed + tests.failed + tests.skipped > 0 ? `, ${describe(tests)}` : '';
  console.log(`${code === 0 ? 'ok' : 'FAILED'} (${seconds} s${counted})`);
  if (code !== 0 || tests.unsteady > 0) console.log(output.trimEnd());
  return { code, tests, complaints: complaintsOf(output) };
}

/** The names of the tests that failed, as Jest heads what it tells of each. */
function complaintsOf(output) {
  return [...new Set(output.match(/^ {2}● (?!Console).+$/gm) ?? [])];
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
 * `essential` to them. Returns the sums of their tests, the names of the steps that failed, and those of their tests.
 */
export async function runSteps(steps) {
  const total = { passed: 0, failed: 0, skipped: 0, unsteady: 0 };
  const broken = [];
  const complaints = [];
  for (const step of steps) {
    const { code, tests, complaints: told } = await runStep(step);
    for (const kind of Object.keys(total)) total[kind] += tests[kind];
    if (told.length > 0) complaints.push(`${step.name}:`, ...told);
    if (code !== 0) broken.push(step.name);
    if (code !== 0 && step.essential) break;
  }
  return { total, broken, complaints };
}

/** Runs steps that test, prints what failed and their sums as the last lines, and returns the exit code. */
export async function runTests(steps) {
  const { total, broken, complaints } = await runSteps(steps);
  for (const line of complaints) console.log(line);
  console.log(broken.length === 0 ? 'Everything passed.' : `Failed: ${broken.join(', ')}`);
  console.log(describe(total));
  return broken.length === 0 ? 0 : 1;
}
