import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, runNode, temporaryFolder } from './process';

/** Milliseconds for all of it, on a busy machine. */
export const LIMIT = 400_000;

const SPECS = 50;

/** A spec as a service has it: it loads keelson afresh before each test, and cleans up nothing. */
const spec = `
  const keelson = ${JSON.stringify(root)};
  const useEverything = require(${JSON.stringify(join(__dirname, 'everything.js'))});
  beforeEach(() => { jest.resetModules(); });
  let first;
  test('loads', async () => {
    first = require(keelson);
    expect(await useEverything(first, { leave: LEAVE })).toStrictEqual(useEverything.FOUND);
  });
  test('loads again', async () => {
    const second = require(keelson);
    expect(second).not.toBe(first);
    expect(second.KeelsonError).not.toBe(first.KeelsonError);
    expect(await useEverything(second, { leave: LEAVE })).toStrictEqual(useEverything.FOUND);
  });`;

/** Runs 50 spec files in one jest, which has to end by itself. */
export async function runJest(leave: boolean, ...args: string[]): Promise<void> {
  const { folder, remove } = temporaryFolder();
  try {
    mkdirSync(join(folder, 'specs'));
    // As in a service, whose jest leaves node_modules as it is: nothing has to be transformed.
    writeFileSync(join(folder, 'package.json'), '{ "jest": { "testEnvironment": "node", "transform": {} } }');
    for (let index = 0; index < SPECS; index += 1) {
      writeFileSync(join(folder, 'specs', `${index}.spec.js`), spec.replaceAll('LEAVE', String(leave)));
    }
    const jest = join(root, 'node_modules', 'jest', 'bin', 'jest.js');
    // Longer than jest's 5 s, which a test can take on a busy machine whose jest follows each promise.
    const shared = ['--runInBand', '--testTimeout', '60000', '--rootDir', folder];
    const { code, signal, stderr } = await runNode([jest, ...shared, ...args], {
      cwd: folder,
      limit: LIMIT,
    });
    // A jest that waits for somebody's timer says so, or never ends and is killed.
    expect(stderr).not.toMatch(/open handle|did not exit/);
    expect(stderr).toContain(`Tests:       ${2 * SPECS} passed, ${2 * SPECS} total`);
    expect({ code, signal }).toEqual({ code: 0, signal: null });
  } finally {
    remove();
  }
}
