import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { copyInto, evaluate, type Options, root, temporaryFolder } from './support/process';

const { platformPackage } = require('../dist/native.js') as typeof import('../lib/native');
const { version } = require('../package.json') as { version: string };
const here = platformPackage();
const addon = join(root, `keelson.${here.slice('@keelson/binding-'.length)}.node`);
const command = `npm install ${here}@${version}`;

let folder: string;
let remove: () => void;

beforeEach(() => {
  ({ folder, remove } = temporaryFolder());
  copyInto(folder, 'dist', 'binding.js', 'package.json', 'index.js');
});
afterEach(() => remove());

interface Failure {
  name: string;
  code: string;
  message: string;
  caused: boolean;
}

/** Loads the package in `folder`, which has no addon of its own; undefined if that works. */
function load(options?: Options): Promise<Failure | null> {
  const source = `
    let failure = null;
    try { require('./dist/native.js'); }
    catch ({ name, code, message, cause }) { failure = { name, code, message, caused: cause instanceof Error }; }
    console.log(JSON.stringify(failure));`;
  return evaluate(source, { cwd: folder, ...options });
}

test('without its platform package, the error names the package and the command', async () => {
  const failure = await load();
  expect(failure).toMatchObject({ name: 'KeelsonError', code: 'ERR_KEELSON_BINDING_MISSING', caused: true });
  expect(failure?.message).toContain(
    `found no native addon for this platform. It comes in the package ${here}`,
  );
  expect(failure?.message).toContain(command);
});

test('an addon that the system cannot load is told from a missing one', async () => {
  const file = join(folder, basename(addon));
  writeFileSync(file, 'not an addon');
  const failure = await load();
  expect(failure?.code).toBe('ERR_KEELSON_BINDING_MISSING');
  expect(failure?.message).toContain(`could not load its native addon: ${file}`);
  expect(failure?.message).toContain(command);
});

test('NAPI_RS_NATIVE_LIBRARY_PATH is followed', async () => {
  expect(await load({ env: { NAPI_RS_NATIVE_LIBRARY_PATH: addon } })).toBeNull();
});

test('a wrong NAPI_RS_NATIVE_LIBRARY_PATH is named', async () => {
  const wrong = join(folder, 'nowhere.node');
  const failure = await load({ env: { NAPI_RS_NATIVE_LIBRARY_PATH: wrong } });
  expect(failure?.code).toBe('ERR_KEELSON_BINDING_MISSING');
  expect(failure?.message).toContain(`NAPI_RS_NATIVE_LIBRARY_PATH names, ${wrong}`);
  expect(failure?.message).toContain(command);
});

test('an addon of another version is refused', async () => {
  const manifest = { ...require('../package.json'), version: '99.0.0' };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  const failure = await load({ env: { NAPI_RS_NATIVE_LIBRARY_PATH: addon } });
  expect(failure?.code).toBe('ERR_KEELSON_BINDING_MISSING');
  expect(failure?.message).toContain(`keelson 99.0.0 found the native addon of version ${version}`);
  expect(failure?.message).toContain(`npm install ${here}@99.0.0`);
});

test('a foreign addon is refused', async () => {
  const foreign = join(folder, 'foreign');
  mkdirSync(foreign);
  writeFileSync(join(foreign, 'index.js'), 'module.exports = {};');
  const failure = await load({ env: { NAPI_RS_NATIVE_LIBRARY_PATH: foreign } });
  expect(failure?.message).toContain('found the native addon of version unknown');
});

test('the names of the platform packages are those of the folders in npm/', () => {
  const { targets } = require('../package.json').napi as { targets: string[] };
  const names = [
    platformPackage('linux', 'x64', false),
    platformPackage('linux', 'arm64', false),
    platformPackage('linux', 'x64', true),
    platformPackage('linux', 'arm64', true),
    platformPackage('darwin', 'x64'),
    platformPackage('darwin', 'arm64'),
    platformPackage('win32', 'x64'),
    platformPackage('win32', 'arm64'),
  ];
  expect(names).toHaveLength(targets.length);
  for (const name of names) {
    const folder = name.slice('@keelson/binding-'.length);
    expect(require(`../npm/${folder}/package.json`)).toMatchObject({ name, version });
  }
});
