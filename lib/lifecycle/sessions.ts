// For its types only: where it is loaded, node:http2 opens the process' stderr.
import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2';

/** `NGHTTP2_NO_ERROR`. */
const NO_ERROR = 0;
/** The id of no stream: what a GOAWAY has that only asks for no new ones (RFC 9113, 6.8). */
const NO_STREAM = 2 ** 31 - 1;

/** The sessions of an HTTP/2 server, and the streams that are under way. */
export class Sessions {
  readonly all = new Set<ServerHttp2Session>();
  streams = 0;
  #isClosing = false;

  readonly add = (session: ServerHttp2Session): void => {
    this.all.add(session);
    session.once('close', () => this.all.delete(session));
    if (this.#isClosing) session.close();
  };

  readonly stream = (stream: ServerHttp2Stream): void => {
    this.streams++;
    stream.once('close', () => {
      this.streams--;
    });
  };

  /** Asks clients to open no new streams; what is on its way is answered. */
  drain(): void {
    for (const session of this.all) {
      if (!session.destroyed) session.goaway(NO_ERROR, NO_STREAM);
    }
  }

  /** A session ends with its last stream. */
  close(): void {
    this.#isClosing = true;
    for (const session of this.all) session.close();
  }

  destroy(): void {
    for (const session of this.all) session.destroy();
  }
}
