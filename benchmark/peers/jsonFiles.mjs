import { createReadStream } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { assembled } from './json.mjs';

/** Each makes a function that resolves to the value in a file of JSON. */
export const fileParsers = {
  async keelson() {
    const { json } = await import('keelson');
    return (path) => json.parseFile(path);
  },
  'readFile and JSON.parse': () => async (path) => JSON.parse(await readFile(path, 'utf8')),
  'stream-json': () => (path) => assembled(createReadStream(path)),
};

/** The same for a file that is compressed with gzip. */
export const gzipParsers = {
  keelson: fileParsers.keelson,
  'readFile, gunzip and JSON.parse'() {
    const inflate = promisify(gunzip);
    return async (path) => JSON.parse((await inflate(await readFile(path))).toString());
  },
};

/** Each makes a function that calls `each` with the value of every line of a file, and resolves at its end. */
export const lineReaders = {
  async keelson() {
    const { json } = await import('keelson');
    return async (path, each) => {
      for await (const batch of json.ndjson(path)) {
        batch.forEach(each);
      }
    };
  },
  'readline and JSON.parse': () => async (path, each) => {
    const lines = createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY });
    for await (const line of lines) {
      each(JSON.parse(line));
    }
  },
  async 'stream-json'() {
    const { default: parser } = await import('stream-json/jsonl/parser.js');
    return async (path, each) => {
      for await (const { value } of createReadStream(path).pipe(parser.asStream())) {
        each(value);
      }
    };
  },
  'readFile, split and JSON.parse': () => async (path, each) => {
    for (const line of (await readFile(path, 'utf8')).split('\n')) {
      if (line !== '') {
        each(JSON.parse(line));
      }
    }
  },
};

/** Each makes a function that writes the JSON of a value to a file and resolves when that is done. */
export const fileWriters = {
  async keelson() {
    const { json } = await import('keelson');
    return (value, path) => json.stringifyToFile(value, path);
  },
  'JSON.stringify and writeFile': () => (value, path) => writeFile(path, JSON.stringify(value)),
};
