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
