// node terminateWorkers.js SEED COUNT [exit]: starts workers that use keelson without pause, and terminates each at
// a random moment; with `exit` it ends the process when all of them are at work.
const { isMainThread, parentPort, Worker } = require('node:worker_threads');
const { generator } = require('./random.js');

/** How many workers live at a time. */
const ABREAST = 4;

async function work() {
  const useEverything = require('./everything.js');
  const keelson = require('../..');
  for (;;) {
    await useEverything(keelson);
    parentPort.postMessage('used');
  }
}

/** Starts a worker and terminates it after `moment` milliseconds; resolves whether it had used keelson by then. */
function startAndTerminate(moment) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(__filename);
    let used = false;
    worker.on('message', () => {
      used = true;
    });
    worker.on('error', reject);
    worker.on('exit', () => resolve(used));
    setTimeout(() => worker.terminate(), moment);
  });
}

/** Milliseconds that a worker takes from its start to its first use of keelson, with as many others about. */
async function timeToUse() {
  const began = performance.now();
  const workers = Array.from({ length: ABREAST }, () => new Worker(__filename));
  await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('message', resolve))));
  const time = performance.now() - began;
  await Promise.all(workers.map((worker) => worker.terminate()));
  return time;
}

async function terminateAtRandom(seed, count) {
  const random = generator(seed);
  // About half of the moments lie before the first use: while Node starts, while the addon loads.
  const latest = 2 * (await timeToUse());
  const moments = Array.from({ length: count }, () => random() * latest);
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
  const atWork = () => new Promise((resolve) => new Worker(__filename).once('message', resolve));
  await Promise.all(Array.from({ length: count }, atWork));
  process.exit(0);
}

if (!isMainThread) work();
else if (process.argv[4] === 'exit') exitAmongWorkers(Number(process.argv[3]));
else terminateAtRandom(Number(process.argv[2]), Number(process.argv[3]));
