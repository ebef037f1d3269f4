import { join } from 'node:path';
import { runNode } from './support/process';

const SCRIPT = JSON.stringify(join(__dirname, 'support', 'sharedCacheWorker.js'));

test('a cache keeps no process alive, whatever is in it', async () => {
  const source = `
    const { SharedCache } = require('keelson');
    const cache = new SharedCache({ name: 'x', ttl: 3_600_000 });
    cache.set('a', 1);
    cache.getOrLoad('b', () => new Promise(() => {}));`;
  expect(await runNode(['-e', source])).toMatchObject({ code: 0, stderr: '' });
});

test('who waits for another thread or for a file keeps it alive until that is done', async () => {
  const source = `
    const { Worker } = require('node:worker_threads');
    const { once } = require('node:events');
    const { SharedCache } = require('keelson');
    (async () => {
      const cache = new SharedCache({ name: 'x', maxBytes: 4 * 2 ** 20 });
      const worker = new Worker(${SCRIPT}, { workerData: { name: 'x', id: 1 } });
      await once(worker, 'message');
      worker.postMessage({ work: 'load', args: ['key', 200] });
      await once(worker, 'message');
      worker.unref();
      console.log(await cache.getOrLoad('key', () => 'here'));
      await cache.snapshot('/nowhere/x').catch(({ code }) => console.log(code));
      process.exit();
    })();`;
  expect(await runNode(['-e', source])).toMatchObject({
    code: 0,
    stdout: 'loaded by 1\nERR_KEELSON_SNAPSHOT\n',
    stderr: '',
  });
});

test('loads and snapshots under way do not survive a cache that is closed', async () => {
  const source = `
    const { Worker } = require('node:worker_threads');
    const { once } = require('node:events');
    const { SharedCache } = require('keelson');
    (async () => {
      const cache = new SharedCache({ name: 'x', maxBytes: 4 * 2 ** 20 });
      const worker = new Worker(${SCRIPT}, { workerData: { name: 'x', id: 1 } });
      await once(worker, 'message');
      worker.postMessage({ work: 'load', args: ['key', 60_000] });
      await once(worker, 'message');
      const load = cache.getOrLoad('key', () => 'here');
      cache.close();
      await load.catch(({ code }) => console.log(code));
      process.exit();
    })();`;
  expect(await runNode(['-e', source])).toMatchObject({
    code: 0,
    stdout: 'ERR_KEELSON_DESTROYED\n',
    stderr: '',
  });
});
