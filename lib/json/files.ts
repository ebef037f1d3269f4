import { open } from 'node:fs/promises';

/** Bytes that are read at once: each read is a trip to Node's thread pool. */
const READ_BYTES = 262_144;

/** The bytes of a file. A chunk is valid until the next is asked for. */
export async function* fileChunks(path: string | URL): AsyncGenerator<Uint8Array> {
  const file = await open(path, 'r');
  try {
    const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, READ_BYTES);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

/** The path or URL of a file, where `source` names one; a stream that has a path is a stream. */
export function pathOf(source: unknown): string | URL | undefined {
  if (source instanceof URL) return source;
  if (typeof source !== 'object' || source === null || ArrayBuffer.isView(source)) return undefined;
  if (!('path' in source) || Symbol.iterator in source || Symbol.asyncIterator in source) return undefined;
  return source.path as string | URL;
}
