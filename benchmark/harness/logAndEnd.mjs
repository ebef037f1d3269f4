// Logs lines and comes to an end, in a process of its own: `logAndEnd.mjs <logger> <way> <folder> <lines>`. Once all are
// logged it says so on its standard output, so that what ends before is not taken for one that has lost them.
import { once } from 'node:events';
import { writeSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { TYPICAL } from '../data/logLines.mjs';
import { loggers } from '../peers/loggers.mjs';

/** In milliseconds. A service that ends has run for a while: nobody's file or thread is only being opened then. */
const RUN = 500;

const [name, way, folder, lines] = process.argv.slice(2);

const tell = () => writeSync(1, 'logged');

/** What comes after the last line, in the same turn of the event loop. */
const ENDS = {
  'process.exit': () => process.exit(0),
  'uncaught exception': () => {
    throw new Error('this one is meant');
  },
  'end of its work': () => {},
};

async function logAll(then) {
  const { log } = await loggers[name](folder);
  await pause(RUN);
  // Outside of any promise, so that what is thrown is an exception that nobody catches.
  setImmediate(() => {
    // The number tells a line that is there twice.
    for (let line = 0; line < lines; line++) log({ ...TYPICAL, userId: line });
    then();
  });
}

/** The thread does not end by itself: it is terminated as soon as it has logged all. */
async function terminateWorker() {
  const worker = new Worker(fileURLToPath(import.meta.url), { argv: [name, way, folder, lines] });
  await once(worker, 'message');
  tell();
  await worker.terminate();
}

function logInWorker() {
  parentPort.on('message', () => {});
  return logAll(() => parentPort.postMessage('logged'));
}

function logInMainThread() {
  return logAll(() => {
    tell();
    ENDS[way]();
  });
}

if (way in ENDS) await logInMainThread();
else await (isMainThread ? terminateWorker() : logInWorker());
