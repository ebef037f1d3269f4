import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { TYPICAL } from '../data/logLines.mjs';
import { percentile } from '../harness/stats.mjs';
import { loggers } from '../peers/loggers.mjs';

/** Lines that are due after each interval, in milliseconds, whether or not those before were taken. */
const LINES = 20;
const INTERVAL = 2;
const WARM_UP = 1000;
const SAMPLE = 5000;
/** Bytes that the disk takes, and for how long it takes nothing then, in milliseconds. */
const TAKEN = 64 * 1024;
const STALL = 100;

/** Those who append to what the path leads to. The others rename it, or hold it against its size. */
const CONTESTANTS = ['keelson', 'pino, synchronous', 'pino, sonic-boom', 'pino, worker'];
/** What none of them can be faster than: the text of the line, which goes nowhere. */
const FLOOR = 'JSON.stringify alone';

/**
 * What stands for the disk, in a process of its own: it takes a part from the pipe and then nothing for a while, over and
 * over, and tells of each. It writes the pipe too, in name, so that nobody waits for it to open it, nor it for who opens it
 * again. It is what outlives the contestant, which is killed, and removes what that leaves.
 */
const DISK = `
  import { open, rm } from 'node:fs/promises';
  import { setTimeout as pause } from 'node:timers/promises';

  const [folder, path] = process.argv.slice(1);
  process.once('disconnect', async () => {
    await rm(folder, { recursive: true, force: true });
    // An exit would wait for a read that does not end.
    process.kill(process.pid, 'SIGKILL');
  });
  const pipe = await open(path, 'r+');
  const bytes = Buffer.alloc(${TAKEN});
  process.send('opened');
  for (;;) {
    for (let left = ${TAKEN}; left > 0; ) left -= (await pipe.read(bytes, 0, left, null)).bytesRead;
    process.send('taken');
    await pause(${STALL});
  }
`;

/** A disk that stalls where a file of the log is to be; `taken()` is how often it has taken something. */
async function startDisk(folder, path) {
  execFileSync('mkfifo', [path]);
  const disk = spawn(process.execPath, ['--input-type=module', '--eval', DISK, folder, path], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  await once(disk, 'message');
  let count = 0;
  disk.on('message', () => count++);
  return { taken: () => count };
}

/** Logs at an open rate, for so many milliseconds; gives how long each call took, in microseconds. */
async function logSteadily(log, milliseconds) {
  const times = new Float64Array((milliseconds * LINES) / INTERVAL);
  const begin = performance.now();
  let count = 0;
  for (let elapsed = 0; elapsed < milliseconds; elapsed = performance.now() - begin) {
    const due = Math.floor(elapsed / INTERVAL) * LINES;
    // Who is held up never catches up.
    for (let now = begin; count < due && now - begin < milliseconds; ) {
      const start = performance.now();
      log(TYPICAL);
      now = performance.now();
      times[count++] = (now - start) * 1000;
    }
    await pause(INTERVAL);
  }
  return times.subarray(0, count);
}

/** A contestant that does not keep the disk busy, or is not held to it, was not measured on one that stalls. */
async function requireStalls({ taken }) {
  await pause(2 * STALL);
  const expected = (WARM_UP + SAMPLE) / STALL;
  if (taken() < 0.8 * expected || taken() > 1.1 * expected) {
    throw new Error(`the disk took ${taken()} parts, where about ${expected} were expected`);
  }
}

async function sampled(log) {
  await logSteadily(log, WARM_UP);
  const times = await logSteadily(log, SAMPLE);
  return { p50: percentile(times, 0.5), 'p99.9': percentile(times, 0.999), max: Math.max(...times) };
}

const floor = async () => ({
  sample: async () => ({ values: await sampled(JSON.stringify), check: 'stalled' }),
});

const logging = (name) => async () => {
  const folder = mkdtempSync(join(tmpdir(), 'keelson-bench-'));
  const disk = await startDisk(folder, join(folder, 'app.log'));
  const { log } = await loggers[name](folder);
  return {
    async sample() {
      const values = await sampled(log);
      await requireStalls(disk);
      return { values, check: 'stalled' };
    },
  };
};

export const benchmarks = [
  {
    name: 'logger/stalled disk',
    question:
      'How long does a call that logs a line hold up the main thread while the disk of its file stalls?',
    fresh: true,
    rounds: 5,
    metrics: {
      'p99.9': { unit: 'us', better: 'lower', asked: [{ peer: 'pino, sonic-boom', atLeast: 5 }] },
      p50: { unit: 'us', better: 'lower' },
      max: { unit: 'us', better: 'lower' },
    },
    contestants: {
      ...Object.fromEntries(CONTESTANTS.map((name) => [name, logging(name)])),
      [FLOOR]: floor,
    },
    notes: [
      `The file is a pipe with a name, from which another process takes ${TAKEN / 1024} KB and then nothing for ${STALL} ms, over and over: about a fifth of what is logged, and as on a disk that stalls most of the time writes do not return. ${LINES} lines with metadata of ten members are due every ${INTERVAL} ms, for ${SAMPLE / 1000} s after ${WARM_UP / 1000} s of the same to warm up, whether or not those before were taken. Percentiles are those of all calls of a sample.`,
      'What does not get written differs: keelson keeps up to 10,000 lines (`maxBuffer`) and then drops the oldest, and counts them; sonic-boom keeps all in memory without bound, unless it is given a `maxLength`, and the worker transport up to 512 MB, from which on calls wait; the synchronous one loses none and logs only as many as the disk takes.',
      `"${FLOOR}" is a call that only makes the text of the metadata: after ${INTERVAL} ms of idling the longest calls are those with cold caches, whatever they do.`,
      'Who rotates by renaming cannot be measured like that: pino-roll, winston and rotating-file-stream are left out.',
    ],
  },
];
