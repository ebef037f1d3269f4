// node jsonWorkers.js SEED COUNT: starts workers whose pools parse, write and read streams without pause, and
// terminates each at a random moment of that work, while a pool of the main thread goes on.
const { isMainThread, parentPort, Worker } = require('node:worker_threads');
const { generator } = require('./random.js');
const { JSONWorkerPool } = require('../..');

const ABREAST = 3;
/** Milliseconds of work before the end, at most. */
const LATEST = 60;

const records = Array.from({ length: 6_000 }, (_, id) => ({
  id,
  name: `name ${id}`,
  half: id / 2,
  list: [id],
}));
const text = JSON.stringify(records);

async function work() {
  const pool = new JSONWorkerPool(2);
  let told = false;
  for (;;) {
    const lines = pool.ndjson([`${text}\n${text}\n`]);
    const done = [
      pool.parse(text),
      pool.parse(Buffer.from(text), { maxDepth: 5 }),
      pool.parse(text, { reviver: (_, value) => value }),
      pool.parseStream([text.slice(0, 100), text.slice(100)]),
      pool.openDocument(text).then((document) => document.toJS('/1')),
      pool.stringify(records),
      lines.next().then(() => lines.return()),
    ];
    if (!told) parentPort.postMessage('at work');
    told = true;
    await Promise.all(done);
    // A pool that is left behind, in the middle of its work.
    new JSONWorkerPool(1).parse(text).catch(() => {});
  }
}

function startAndTerminate(moment) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(__filename);
    worker.once('message', () => setTimeout(() => worker.terminate(), moment));
    worker.on('error', reject);
    worker.on('exit', resolve);
  });
}

async function main(seed, count) {
  const random = generator(seed);
  const moments = Array.from({ length: count }, () => random() * LATEST);
  const pool = new JSONWorkerPool(2);
  const result = { terminated: 0, right: true };
  let going = true;
  const own = (async () => {
    while (going) result.right &&= JSON.stringify(await pool.parse(text)) === text;
  })();
  const lane = async () => {
    while (moments.length > 0) {
      await startAndTerminate(moments.pop());
      result.terminated += 1;
    }
  };
  await Promise.all(Array.from({ length: ABREAST }, lane));
  going = false;
  await own;
  console.log(JSON.stringify(result));
}

if (isMainThread) main(Number(process.argv[2]), Number(process.argv[3]));
else work();
