import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const LOG_AND_END = fileURLToPath(new URL('../harness/logAndEnd.mjs', import.meta.url));
const LINES = 5000;
/** Who has not ended by then, in milliseconds, does not end. */
const PATIENCE = 30_000;

/** The ways of ../harness/logAndEnd.mjs. */
const WAYS = ['process.exit', 'uncaught exception', 'end of its work', 'worker terminated'];

const CONTESTANTS = [
  ...['keelson', 'pino, synchronous', 'pino, sonic-boom', 'pino, worker'],
  ...['winston, rotating', 'rotating-file-stream'],
];

/** Lines in the files of a folder that are whole; one that is there twice counts once. */
function linesIn(folder) {
  const numbers = new Set();
  for (const name of readdirSync(folder)) {
    const whole = readFileSync(join(folder, name), 'utf8').split('\n').slice(0, -1);
    for (const line of whole) {
      const number = /"userId":(\d+)/.exec(line)?.[1];
      if (number !== undefined) numbers.add(number);
    }
  }
  return numbers.size;
}

/** Runs a process to its end; resolves to how it ended. */
async function runToEnd(name, way, folder) {
  const child = spawn(process.execPath, [LOG_AND_END, name, way, folder, LINES], {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...{ timeout: PATIENCE, killSignal: 'SIGKILL' },
  });
  const [said, complaint, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  if (said !== 'logged' || code === null) {
    throw new Error(`${name}, ${way}: ended with ${code} after "${said}"\n${complaint}`);
  }
  return code;
}

async function logAndEnd(name, way) {
  const folder = mkdtempSync(join(tmpdir(), 'keelson-bench-'));
  try {
    const code = await runToEnd(name, way, folder);
    return { code, lost: LINES - linesIn(folder) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const ending = (name) => async () => ({
  async sample() {
    const values = {};
    const codes = {};
    for (const way of WAYS) {
      const { lost, code } = await logAndEnd(name, way);
      values[way] = lost;
      codes[way] = code;
    }
    return { values, check: codes };
  },
});

/** Where nothing is lost a ratio means nothing. */
const METRIC = { unit: 'lines lost', better: 'lower', compare: 'difference', differenceUnit: 'lines' };

export const benchmarks = [
  {
    name: 'logger/lines lost at exit',
    question: `How many of ${LINES.toLocaleString('en-US')} lines, logged in a loop, are not in the files after the process has ended?`,
    fresh: true,
    rounds: 3,
    metrics: Object.fromEntries(WAYS.map((way) => [way, METRIC])),
    contestants: Object.fromEntries(CONTESTANTS.map((name) => [name, ending(name)])),
    notes: [
      'The last line is followed, in the same turn of the event loop, by `process.exit(0)`; by an exception that nobody catches; or by nothing, so that the process ends by itself. `worker terminated`: the logger is of a worker thread, which posts a message after the last line, upon which the main thread calls `worker.terminate()` and ends by itself. No logger is flushed or closed by hand.',
      'Each end is that of a process of its own, half a second after its logger was made, and must have the same exit code for all. Only whole lines count.',
    ],
  },
];
