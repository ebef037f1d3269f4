import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { TYPICAL } from '../data/logLines.mjs';
import { observe } from '../harness/mainThread.mjs';
import { loggers } from '../peers/loggers.mjs';

const LINES = 100_000;
/** Lines of one turn of the event loop, as when so many requests are answered in it. */
const PER_TURN = 50;
const LINE_FEED = 10;

const SIZES = {
  small: { metadata: { status: 200 }, title: 'of one member' },
  typical: { metadata: TYPICAL, title: 'of ten members' },
  large: {
    metadata: { ...TYPICAL, body: 'lorem ipsum '.repeat(340) },
    title: 'of ten members and a text of 4 KB',
  },
};

async function logAll({ log, flush }, metadata, count) {
  for (let done = 0; done < count; done += PER_TURN) {
    for (let line = 0; line < PER_TURN; line++) log(metadata);
    await turn();
  }
  await flush();
}

/** Lines in the files of a folder, once no more come. */
async function linesIn(folder) {
  for (let before = -1; ; ) {
    let count = 0;
    for (const name of readdirSync(folder)) {
      for (const byte of readFileSync(join(folder, name))) if (byte === LINE_FEED) count++;
    }
    if (count === before) return count;
    before = count;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const logging = (open, metadata, lines) => async () => {
  const folder = mkdtempSync(join(tmpdir(), 'keelson-bench-'));
  const logger = await open(folder);
  let before = 0;
  return {
    async sample() {
      const { cost } = await observe(() => logAll(logger, metadata, lines));
      const after = await linesIn(folder);
      const written = after - before;
      before = after;
      return {
        values: {
          'main thread': (cost.main * 1000) / lines,
          throughput: (lines * 1000) / cost.wall,
          delay: cost.delay,
        },
        check: written,
      };
    },
  };
};

const wanted = [
  { peer: 'pino, worker', atLeast: 1 / 0.55 },
  { peer: 'pino, worker rotating', atLeast: 1 / 0.55 },
  { peer: 'pino, sonic-boom', atLeast: 1 / 0.35 },
];

export const benchmarks = Object.entries(SIZES).map(([size, { metadata, title }]) => ({
  name: `logger/${size}`,
  question: `What does a line with metadata ${title} cost, ${PER_TURN} of them in each turn of the event loop?`,
  rounds: 5,
  metrics: {
    'main thread': {
      unit: 'us CPU/line',
      better: 'lower',
      ...(size === 'typical' && { asked: wanted }),
    },
    throughput: { unit: 'lines/s', better: 'higher' },
    delay: { unit: 'ms', better: 'lower' },
  },
  contestants: Object.fromEntries(
    Object.entries(loggers).map(([name, open]) => [
      name,
      logging(open, metadata, size === 'large' ? LINES / 10 : LINES),
    ]),
  ),
  notes: [
    'Until all lines are in the files. keelson writes the format of the original logger, with three members twice, and looks through the metadata for what JSON has no form for; the others write formats of their own.',
  ],
}));
