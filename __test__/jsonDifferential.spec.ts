import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** What a differential prints; `npm test` runs each with many more cases. */
function run(script: string, ...args: string[]): string {
  const path = join(__dirname, '..', 'scripts', script);
  const { stdout, stderr } = spawnSync(process.execPath, [path, ...args], { encoding: 'utf8' });
  return stdout + stderr;
}

test('parse gives what JSON.parse gives for documents that were changed at random', () => {
  expect(run('json-differential.mjs', '5000')).toMatch(
    /^5000 documents in both forms .*\n.*no difference\n$/m,
  );
});

test('stringify writes what JSON.stringify writes of random values, in all forms', () => {
  const printed = run('json-stringify-differential.mjs', '5000');
  expect(printed).toMatch(/^5000 values in .*\n.*no difference\n$/m);
});
