import { Buffer } from 'node:buffer';
import { type DocumentBuilder, JSONDocument, type NativeDocument } from '../../dist/json/document';

const { createJsonDocument, jsonColumn } = require('../../binding.js') as {
  createJsonDocument(bytes: Uint8Array): NativeDocument;
  jsonColumn(bytes: Uint8Array, pattern: string): string;
};

/** Opens a document of `text`, which is closed by the garbage collector if not before. */
export async function open(text: string): Promise<JSONDocument> {
  const bytes = Buffer.from(text);
  const builder: DocumentBuilder = {
    build: async (_, start, end) => JSON.parse(bytes.toString('utf8', start, end)),
    column: async (_, pattern) => JSON.parse(`[${jsonColumn(bytes, pattern)}]`) as unknown[],
  };
  return new JSONDocument(createJsonDocument(bytes), builder);
}
