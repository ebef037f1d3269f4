// node terminateWorkers.js SEED COUNT [exit]: starts workers that use keelson without pause, and terminates each at
// a random moment; with `exit` it ends the process when all of them are at work.
const { isMainThread, parentPort, Worker } = require('node:worker_threads');
const { generator } = require('./random.js');

/** How many workers live at a time. */
const ABREAST = 4;
/**
 * From where the moments are counted: its making, and what a worker tells when it gets there, which is that its code
 * runs, that the addon is loaded, that all of keelson is, and that all of it was used, once and again.
 */
const STAGES = ['made', 'started', 'addon', 'loaded', 'used', 'used again'];
/** Milliseconds from a stage to the end, at most: about what a worker takes to the next stage. */
const LATEST = 100;

async function work() {
  parentPort.postMessage('started');
  const useEverything = require('./everything.js');
  require('../../binding.js');
  parentPort.postMessage('addon');
  const keelson = require('../..');
  parentPort.postMessage('loaded');
  for (let stage = 'used'; ; stage = 'used again') {
    await useEverything(keelson);
    parentPort.postMessage(stage);
  }
}

/** Starts a worker, terminates it `delay` milliseconds after `stage`, and resolves whether it had used keelson. */
function startAndTerminate({ stage, delay }) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(__filename);
    const terminateSoon = () => setTimeout(() => worker.terminate(), delay);
    const reached = new Set();
    worker.on('message', (message) => {
      if (message === stage && !reached.has(stage)) terminateSoon();
      reached.add(message);
    });
    worker.on('error', reject);
    worker.on('exit', () => resolve(reached.has('used')));
    if (stage === 'made') terminateSoon();
  });
}

async function terminateAtRandom(seed, count) {
  const random = generator(seed);
  // Counted from what the worker did, not from its start: a slow machine neither shifts the moments nor stretches them.
  const moments = Array.from({ length: count }, (_, index) => ({
    stage: STAGES[index % STAGES.length],
    delay: random() * LATEST,
  }));
  const result = { terminated: 0, used: 0 };
  const lane = async () => {
    while (moments.length > 0) {
      if (await startAndTerminate(moments.pop())) result.used += 1;
      result.terminated += 1;
    }
  };
  await Promise.all(Array.from({ length: ABREAST }, lane));
  console.log(JSON.stringify(result));
}

async function exitAmongWorkers(count) {
  const atWork = () =>
    new Promise((resolve) => {
      new Worker(__filename).on('message', (message) => message === 'used' && resolve());
    });
  await Promise.all(Array.from({ length: count }, atWork));
  process.exit(0);
}

if (!isMainThread) work();
else if (process.argv[4] === 'exit') exitAmongWorkers(Number(process.argv[3]));
else terminateAtRandom(Number(process.argv[2]), Number(process.argv[3]));
