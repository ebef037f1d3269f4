import { join } from 'node:path';
import { runNode } from './support/process';

const script = join(__dirname, 'support', 'terminateWorkers.js');

// Printed on failure, so that a crash can be brought about again: KEELSON_SEED=… npx jest workers
const seed = process.env.KEELSON_SEED ?? String(Math.floor(Math.random() * 2 ** 32));

// The limits are for what hangs: on a busy machine it takes a minute or two.
test(`200 workers that load and use keelson are terminated at random moments, seed ${seed}`, async () => {
  const { code, signal, stdout, stderr } = await runNode([script, seed, '200'], { limit: 200_000 });
  expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
  const { terminated, used } = JSON.parse(stdout) as { terminated: number; used: number };
  expect(terminated).toBe(200);
  // The moments are spread: some workers were caught before they had used keelson once, some after.
  expect(used).toBeGreaterThan(0);
  expect(used).toBeLessThan(200);
}, 210_000);

test('a process may end while workers use keelson', async () => {
  const { code, signal, stderr } = await runNode([script, seed, '8', 'exit']);
  expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
});
