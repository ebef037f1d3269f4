// Runs steps one after another, one line a step; what a step printed is shown only when it failed.
import { start } from './lib.mjs';

/** How test runners close: Jest, and cargo test (one line for each binary). */
const TOTALS = [
  { line: /^Tests: .*$/gm, passed: /(\d+) passed/, failed: /(\d+) failed/ },
  { line: /^test result: .*$/gm, passed: /(\d+) passed/, failed: /(\d+) failed/ },
];

/** Sums of the tests that a runner's output reports. */
export function countTests(output) {
  const sum = { passed: 0, failed: 0 };
  for (const { line, passed, failed } of TOTALS) {
    for (const [text] of output.matchAll(line)) {
      sum.passed += Number(passed.exec(text)?.[1] ?? 0);
      sum.failed += Number(failed.exec(text)?.[1] ?? 0);
    }
  }
  return sum;
}

/** Runs one step; a step is `{ name, command, cwd?, essential? }`; a command is an array, or makes one. */
async function runStep({ name, command, cwd }) {
  process.stdout.write(`${name} `);
  const began = performance.now();
  const { code, output } = await execute(command, cwd);
  const { passed, failed } = countTests(output);
  const verdict = code === 0 ? 'ok' : 'FAILED';
  const tests = passed + failed > 0 ? `, ${passed} passed, ${failed} failed` : '';
  console.log(`${verdict} (${((performance.now() - began) / 1000).toFixed(1)} s${tests})`);
  if (code !== 0) console.log(output.trimEnd());
  return { code, passed, failed };
}

async function execute(command, cwd) {
  try {
    return await start(typeof command === 'function' ? command() : command, { ...(cwd && { cwd }) });
  } catch (error) {
    return { code: 1, output: String(error.message) };
  }
}

/**
 * Runs the steps and prints the sums of all their tests as the last line. A failing step does not stop the
 * others, so that one run tells everything, unless it is `essential` to them. Returns the exit code.
 */
export async function runSteps(steps) {
  const total = { passed: 0, failed: 0 };
  const broken = [];
  for (const step of steps) {
    const { code, passed, failed } = await runStep(step);
    total.passed += passed;
    total.failed += failed;
    if (code !== 0) broken.push(step.name);
    if (code !== 0 && step.essential) break;
  }
  console.log(broken.length > 0 ? `Failed: ${broken.join(', ')}` : 'Everything passed.');
  console.log(`${total.passed} passed, ${total.failed} failed`);
  return broken.length > 0 ? 1 : 0;
}
