import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { CircularReferenceError, InvalidArgumentError, JSONWorkerPool, TimeoutError } from 'keelson';
import { root, runNode, temporaryFolder } from './support/process';

const { folder, remove } = temporaryFolder();
let pool: JSONWorkerPool;
beforeAll(() => {
  pool = new JSONWorkerPool(2);
});
afterAll(async () => {
  await pool.destroy();
  remove();
});
let file: string;
let count = 0;
beforeEach(() => {
  mkdirSync(join(folder, `${++count}`));
  file = join(folder, `${count}`, 'data.json');
});

const inFolder = () => readdirSync(join(file, '..')).sort();
const posix = process.platform === 'win32' ? test.skip : test;

/** About 3 MB of JSON. */
function records(): unknown[] {
  return Array.from({ length: 40_000 }, (_, id) => ({ id, name: `Näme ${id} 名`, tags: ['a', 'b'] }));
}

test('writes what JSON.stringify gives, and nothing beside it', async () => {
  await pool.stringifyToFile({ a: ['ü'] }, file);
  expect(readFileSync(file, 'utf8')).toBe('{"a":["ü"]}');
  await pool.stringifyToFile(records(), file, { space: 1, replacer: ['id', 'name'] });
  expect(readFileSync(file, 'utf8') === JSON.stringify(records(), ['id', 'name'], 1)).toBe(true);
  await pool.stringifyToFile(records(), file, { replacer: (_key, value) => value });
  expect(readFileSync(file, 'utf8') === JSON.stringify(records())).toBe(true);
  expect(inFolder()).toStrictEqual(['data.json']);
});

posix('keeps the permissions of the file that was there', async () => {
  writeFileSync(file, 'old');
  chmodSync(file, 0o606);
  await pool.stringifyToFile([1], file);
  expect(statSync(file).mode & 0o7777).toBe(0o606);
});

posix('replaces what a symbolic link points to, through several, and where it is not there yet', async () => {
  const folder = join(file, '..');
  mkdirSync(join(folder, 'real'));
  writeFileSync(join(folder, 'real', 'there.json'), 'old');
  symlinkSync(join('real', 'there.json'), join(folder, 'first'));
  symlinkSync('first', file);
  await pool.stringifyToFile([1], file);
  expect(readFileSync(join(folder, 'real', 'there.json'), 'utf8')).toBe('[1]');
  expect(readlinkSync(file)).toBe('first');

  symlinkSync(join('real', 'new.json'), join(folder, 'dangling'));
  await pool.stringifyToFile([2], join(folder, 'dangling'));
  expect(lstatSync(join(folder, 'dangling')).isSymbolicLink()).toBe(true);
  expect(readFileSync(join(folder, 'real', 'new.json'), 'utf8')).toBe('[2]');
  expect(readdirSync(join(folder, 'real')).sort()).toStrictEqual(['new.json', 'there.json']);
});

posix('says so of links that go in a circle', async () => {
  symlinkSync('data.json', file);
  await expect(pool.stringifyToFile([1], file)).rejects.toMatchObject({ code: 'ELOOP' });
});

test('an error leaves the old file, and no other', async () => {
  writeFileSync(file, 'old');
  const loop: unknown[] = records();
  loop.push({ loop });
  await expect(pool.stringifyToFile(loop, file)).rejects.toThrow(CircularReferenceError);
  await expect(pool.stringifyToFile(undefined, file)).rejects.toThrow(InvalidArgumentError);
  const late = [
    ...records(),
    {
      toJSON() {
        throw new Error('late');
      },
    },
  ];
  await expect(pool.stringifyToFile(late, file)).rejects.toThrow('late');
  expect(inFolder()).toStrictEqual(['data.json']);
  expect(readFileSync(file, 'utf8')).toBe('old');
});

test('so does an abort, before and meanwhile, and a timeout', async () => {
  writeFileSync(file, 'old');
  await expect(pool.stringifyToFile([1], file, { signal: AbortSignal.abort('before') })).rejects.toBe(
    'before',
  );
  const controller = new AbortController();
  const value: unknown[] = records();
  value[20_000] = { toJSON: () => controller.abort('meanwhile') };
  await expect(pool.stringifyToFile(value, file, { signal: controller.signal })).rejects.toBe('meanwhile');
  value[20_000] = {
    toJSON() {
      const end = performance.now() + 6;
      while (performance.now() < end);
    },
  };
  await expect(pool.stringifyToFile(value, file, { timeout: 5 })).rejects.toThrow(TimeoutError);
  expect(inFolder()).toStrictEqual(['data.json']);
  expect(readFileSync(file, 'utf8')).toBe('old');
});

test('a folder that is not there is ENOENT', async () => {
  await expect(pool.stringifyToFile([1], join(file, 'missing', 'x.json'))).rejects.toMatchObject({
    code: 'ENOENT',
  });
  expect(inFolder()).toStrictEqual([]);
});

test('a folder cannot be replaced, and nothing is left beside it', async () => {
  mkdirSync(file);
  await expect(pool.stringifyToFile([1], file)).rejects.toThrow();
  expect(inFolder()).toStrictEqual(['data.json']);
});

test('a process that is killed before the name is taken leaves the old file as it was', async () => {
  writeFileSync(file, 'old');
  // The rename is the last step: the process ends itself in its place.
  const source = `
    require('node:fs/promises').rename = () => process.kill(process.pid, 'SIGKILL');
    const { json } = require(${JSON.stringify(root)});
    json.stringifyToFile(Array.from({ length: 50000 }, (_, id) => ({ id })), ${JSON.stringify(file)});
  `;
  const { code } = await runNode(['-e', source]);
  expect(code).not.toBe(0);
  expect(readFileSync(file, 'utf8')).toBe('old');
  expect(inFolder()).toHaveLength(2);
});

test('writers of one file leave the text of one of them', async () => {
  await Promise.all([1, 2, 3].map((id) => pool.stringifyToFile([...records(), id], file)));
  expect([1, 2, 3]).toContain(JSON.parse(readFileSync(file, 'utf8')).at(-1));
  expect(inFolder()).toStrictEqual(['data.json']);
});

test('arguments are checked', async () => {
  await expect(pool.stringifyToFile(1, 5 as unknown as string)).rejects.toThrow('"path" must be a string');
  await expect(pool.stringifyToFile(1, file, { as: 'buffer' } as any)).rejects.toThrow(
    '"options.as" is not an option',
  );
  await expect(pool.stringifyToFile({ a: () => 1 }, file, { snapshot: true })).rejects.toMatchObject({
    name: 'DataCloneError',
  });
  expect(existsSync(file)).toBe(false);
});

test('it is a call of the pool: counted, waited for by flush(), ended by destroy()', async () => {
  const fresh = new JSONWorkerPool(1);
  let done = false;
  const written = fresh.stringifyToFile(records(), file).then(() => {
    done = true;
  });
  expect(fresh.metrics()).toMatchObject({ active: 1, processed: 0 });
  await fresh.flush();
  await written;
  expect(done).toBe(true);
  const size = Buffer.byteLength(JSON.stringify(records()));
  expect(fresh.metrics()).toMatchObject({ active: 0, processed: 1, bytes: { written: size } });
  expect(fresh.metrics().mainTime.max).toBeGreaterThan(0);

  const stopped = fresh.stringifyToFile([...records(), 'new'], file).catch((error) => error);
  await fresh.destroy();
  expect(await stopped).toMatchObject({ code: 'ERR_KEELSON_DESTROYED' });
  expect(fresh.metrics()).toMatchObject({ active: 0, errors: { destroyed: 1 } });
  expect(inFolder()).toStrictEqual(['data.json']);
  expect(statSync(file).size).toBe(size);
  await expect(fresh.stringifyToFile([1], file)).rejects.toMatchObject({ code: 'ERR_KEELSON_DESTROYED' });
});
