// What a worker of the thread pool that json.mjs sets up does for the main thread. Values are cloned on their way.

/** `body`: a string, or the bytes of a Buffer, which arrive as a Uint8Array. */
export function parse(body) {
  return JSON.parse(
    typeof body === 'string' ? body : Buffer.from(body.buffer, body.byteOffset, body.length).toString(),
  );
}

export const stringify = (value) => JSON.stringify(value);
