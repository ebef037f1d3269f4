import { type JSONDocument, JSONWorkerPool } from '../../index.js';

let pool: JSONWorkerPool;

beforeAll(() => {
  pool = new JSONWorkerPool(2);
});

afterAll(() => pool.destroy());

/** Opens a document of the given text. */
export function open(text: string | Uint8Array): Promise<JSONDocument> {
  return pool.openDocument(text);
}
