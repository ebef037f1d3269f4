import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { jsonValue, MB } from '../data/json.mjs';
import { FOLDER, jsonFile } from '../data/jsonFile.mjs';
import { costNotes, digest } from '../harness/bodies.mjs';
import { observe } from '../harness/mainThread.mjs';
import { fileParsers, fileWriters, gzipParsers, lineReaders } from '../peers/jsonFiles.mjs';

const MIB = 2 ** 20;

const METRICS = {
  'main thread': { unit: 'ms CPU', better: 'lower' },
  'all threads': { unit: 'ms CPU', better: 'lower' },
  wall: { unit: 'ms', better: 'lower' },
  'longest delay': { unit: 'ms', better: 'lower' },
  'peak memory': { unit: 'MiB', better: 'lower', compare: 'difference', differenceUnit: 'MiB' },
};

const NOTES = [
  ...costNotes,
  '`peak memory` is what the resident memory of the process grew by at its highest: nothing, for what fits into memory that it has already. Each sample is a new process, whose code has not been compiled yet. The files are in the cache of the operating system.',
];

/** The highest resident memory is told from here on, where that is possible: what made the input does not count. */
function forgetPeak() {
  if (process.platform === 'linux') {
    writeFileSync('/proc/self/clear_refs', '5');
  }
}

/** What one `run` in a new process costs, and by how much its memory grew. */
async function observeOnce(run) {
  gc();
  forgetPeak();
  const before = process.memoryUsage.rss();
  const { cost, result } = await observe(run);
  const peak = process.resourceUsage().maxRSS * 1024;
  return {
    result,
    values: {
      'main thread': cost.main,
      'all threads': cost.all,
      wall: cost.wall,
      'longest delay': cost.delay,
      'peak memory': Math.max(0, peak - before) / MIB,
    },
  };
}

const parsingFile = (make, megabytes, gzip) => async () => {
  const parse = await make();
  const path = jsonFile('records', megabytes * MB, { gzip });
  return {
    async sample() {
      const { result, values } = await observeOnce(() => parse(path));
      return { values, check: digest(JSON.stringify(result)) };
    },
  };
};

const readingLines = (make, megabytes) => async () => {
  const read = await make();
  const path = jsonFile('lines', megabytes * MB);
  return {
    async sample() {
      let [lines, sum] = [0, 0];
      const { values } = await observeOnce(() =>
        read(path, ({ id }) => {
          lines++;
          sum += id;
        }),
      );
      return { values, check: { lines, sum } };
    },
  };
};

const writingFile = (make, megabytes) => async () => {
  const write = await make();
  const value = jsonValue('records', megabytes * MB);
  const path = join(FOLDER, `written-${process.pid}.json`);
  return {
    async sample() {
      const { values } = await observeOnce(() => write(value, path));
      const check = digest(readFileSync(path));
      rmSync(path);
      return { values, check };
    },
  };
};

const benchmarkOf = (name, question, contestants, sampler) => ({
  name: `json/${name}`,
  question,
  rounds: 3,
  fresh: true,
  metrics: METRICS,
  contestants: Object.fromEntries(Object.entries(contestants).map(([key, make]) => [key, sampler(make)])),
  notes: NOTES,
});

export const benchmarks = [
  benchmarkOf('file-10MB', 'What does parsing a file of 10 MB of JSON cost?', fileParsers, (make) =>
    parsingFile(make, 10),
  ),
  benchmarkOf('file-100MB', 'What does parsing a file of 100 MB of JSON cost?', fileParsers, (make) =>
    parsingFile(make, 100),
  ),
  benchmarkOf(
    'file-gzip-10MB',
    'What does parsing a file of 10 MB of JSON cost that is compressed with gzip?',
    gzipParsers,
    (make) => parsingFile(make, 10, true),
  ),
  benchmarkOf(
    'ndjson-10MB',
    'What does reading 10 MB of JSON, a document a line, cost?',
    lineReaders,
    (make) => readingLines(make, 10),
  ),
  benchmarkOf(
    'ndjson-100MB',
    'What does reading 100 MB of JSON, a document a line, cost?',
    lineReaders,
    (make) => readingLines(make, 100),
  ),
  benchmarkOf('write-file-100MB', 'What does writing 100 MB of JSON to a file cost?', fileWriters, (make) =>
    writingFile(make, 100),
  ),
];
