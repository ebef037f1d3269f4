// A thread that posts a large body and gets one, in turn, at an even pace, until it is told to stop; then it tells
// how long each took, in milliseconds. Beside the thread that measures others, which would be held up by it.
import { setTimeout as pause } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';

const { url, headers, body, interval } = workerData;
let running = true;
parentPort.once('message', () => {
  running = false;
});

async function timed(path, options) {
  const start = performance.now();
  const response = await fetch(url + path, options);
  await response.arrayBuffer();
  if (!response.ok) {
    throw new Error(`${path} was answered with ${response.status}`);
  }
  return performance.now() - start;
}

const imports = [];
const exports = [];
const post = { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body };
for (let next = performance.now(); running; next += interval) {
  await pause(Math.max(0, next - performance.now()));
  if (imports.length > exports.length) {
    exports.push(await timed('/api/export', { headers }));
  } else {
    imports.push(await timed('/api/import', post));
  }
}
parentPort.postMessage({ imports, exports });
