import { Readable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { nativePeer } from './native.mjs';

/** As much as a socket or a file gives at a time. */
const CHUNK = 64 * 1024;

/** As its users have it: a thread and a half for each processor. */
async function threadPool() {
  const { Piscina } = await import('piscina');
  return new Piscina({ filename: new URL('jsonWorker.mjs', import.meta.url).href });
}

/** A stream of a body, each chunk in a turn of the event loop of its own, as a socket gives them. */
function streamOf(body) {
  const part = typeof body === 'string' ? body.slice : body.subarray;
  async function* chunks() {
    for (let at = 0; at < body.length; at += CHUNK) {
      await turn();
      yield part.call(body, at, at + CHUNK);
    }
  }
  return Readable.from(chunks());
}

/** A function with a callback as last argument, as one that returns a promise. */
const promised =
  (start) =>
  (...args) =>
    new Promise((resolve, reject) => {
      start(...args, (error, result) => (error ? reject(error) : resolve(result)));
    });

/** The one value of a stream of JSON text. */
export async function assembled(readable) {
  const [{ parser }, { default: Assembler }] = await Promise.all([
    import('stream-json'),
    import('stream-json/assembler.js'),
  ]);
  return new Promise((resolve, reject) => {
    const tokens = readable.once('error', reject).pipe(parser.asStream());
    tokens.once('error', reject);
    Assembler.connectTo(tokens, { onDone: ({ current }) => resolve(current) });
  });
}

/** Each makes a function that parses a body, a Buffer or a string; those that are not done at once give a promise. */
export const parsers = {
  async keelson() {
    const { json } = await import('keelson');
    return (body) => json.parse(body);
  },
  'JSON.parse': () => (body) => JSON.parse(body.toString()),
  async 'piscina + JSON.parse'() {
    const pool = await threadPool();
    return (body) => pool.run(body, { name: 'parse' });
  },
  simdjson() {
    const { parse } = nativePeer('simdjson');
    return (body) => parse(body.toString());
  },
  'stream-json': () => (body) => assembled(streamOf(body)),
  async 'yieldable-json'() {
    const { default: yieldable } = await import('yieldable-json');
    const parse = promised(yieldable.parseAsync);
    return (body) => parse(body.toString());
  },
};

/** Each makes a function that gives the JSON of a value as a string, or a promise of it. */
export const stringifiers = {
  async keelson() {
    const { json } = await import('keelson');
    return (value) => json.stringify(value);
  },
  'JSON.stringify': () => (value) => JSON.stringify(value),
  async 'piscina + JSON.stringify'() {
    const pool = await threadPool();
    return (value) => pool.run(value, { name: 'stringify' });
  },
  async 'yieldable-json'() {
    const { default: yieldable } = await import('yieldable-json');
    return promised(yieldable.stringifyAsync);
  },
};

/** The same for its bytes in a Buffer. */
export const bufferers = {
  async keelson() {
    const { json } = await import('keelson');
    return (value) => json.stringify(value, { as: 'buffer' });
  },
  'JSON.stringify': () => (value) => Buffer.from(JSON.stringify(value)),
};

/** What is read of a few records of a document, wherever they lie in it. */
const FIELDS = ['id', 'score', 'address/city'];
const fieldsOf = (indexes) => indexes.flatMap((index) => FIELDS.map((field) => `items/${index}/${field}`));

/** Each makes a function that opens a body and gives some fields of the records at `indexes`, or a promise of them. */
export const fieldReaders = {
  async keelson() {
    const { json } = await import('keelson');
    return async (body, indexes) => {
      const document = await json.openDocument(body);
      const fields = fieldsOf(indexes).map((path) => document.get(`/${path}`));
      document.close();
      return fields;
    };
  },
  'JSON.parse': () => (body, indexes) => {
    const { items } = JSON.parse(body.toString());
    return indexes.flatMap((index) => {
      const { id, score, address } = items[index];
      return [id, score, address.city];
    });
  },
  'simdjson lazyParse'() {
    const { lazyParse } = nativePeer('simdjson');
    return (body, indexes) => {
      const document = lazyParse(body.toString());
      // Dots and brackets are all the same to it.
      return fieldsOf(indexes).map((path) => document.valueForKeyPath(path.replaceAll('/', '.')));
    };
  },
};

/** Each makes a function that opens a body and gives the score of every record, or a promise of that. */
export const columnReaders = {
  async keelson() {
    const { json } = await import('keelson');
    return async (body) => {
      const document = await json.openDocument(body);
      const scores = await document.column('/items/*/score');
      document.close();
      return scores;
    };
  },
  'JSON.parse': () => (body) => JSON.parse(body.toString()).items.map(({ score }) => score),
};

/** Each opens a body and resolves to a function that gives the score of the record at an index. */
export const openDocuments = {
  async keelson(body) {
    const { json } = await import('keelson');
    const document = await json.openDocument(body);
    return (index) => document.get(`/items/${index}/score`);
  },
  'simdjson lazyParse'(body) {
    const document = nativePeer('simdjson').lazyParse(body.toString());
    return (index) => document.valueForKeyPath(`items.${index}.score`);
  },
  'an object of JSON.parse'(body) {
    const { items } = JSON.parse(body.toString());
    return (index) => items[index].score;
  },
};
