// A worker thread that says what it would go by, and has one of its own say the same.
const { isMainThread, parentPort, Worker, workerData } = require('node:worker_threads');

/** Starts one. `answer` resolves to its profile, and the value and source of pool.max; `nested` likewise of a worker of its own. */
function ask(data) {
  const worker = new Worker(__filename, { workerData: { configured: true, ...data } });
  const asked = (question) =>
    new Promise((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
      worker.postMessage(question);
    });
  return { answer: () => asked('answer'), nested: () => asked('nested'), end: () => worker.terminate() };
}

module.exports = { ask };

if (!isMainThread && workerData?.configured) {
  const { configuration, configure } = require('keelson');
  if (workerData.configure !== undefined) configure(workerData.configure);
  parentPort.on('message', async (question) => {
    if (question === 'nested') {
      const inner = ask({});
      parentPort.postMessage(await inner.answer());
      inner.end();
      return;
    }
    const [profile, max] = ['profile', 'pool.max'].map((wanted) =>
      configuration().find(({ path }) => path === wanted),
    );
    parentPort.postMessage([profile.value ?? null, max.value, max.source]);
  });
}
