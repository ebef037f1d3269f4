import { Client } from 'undici';

/** Milliseconds until an answer is given up. */
const PATIENCE = 30_000;
const KEPT = 600_000;
/** More at once than a server has room for to wait for it to accept them. */
const AT_ONCE = 200;

/** What came of a request: its status, or what went wrong. */
class Answer {
  #status = 0;

  constructor(done) {
    this.done = done;
  }

  onRequestStart() {}

  onResponseStart(_controller, status) {
    this.#status = status;
  }

  onResponseData() {}

  onResponseEnd() {
    this.done(this.#status);
  }

  onResponseError(_controller, error) {
    // Not at once: a client that fails takes no other request until it has done so.
    queueMicrotask(() => this.done(error.code ?? error.name));
  }
}

/** Connections that are kept alive; those that are idle are used in turn, the one that was idle longest first. */
export class Connections {
  #clients;
  #idle;
  #first = 0;
  #count = 0;

  constructor(url, count) {
    const options = {
      ...{ pipelining: 1, headersTimeout: PATIENCE, bodyTimeout: PATIENCE, connectTimeout: PATIENCE },
      ...{ keepAliveTimeout: KEPT, keepAliveMaxTimeout: KEPT },
    };
    this.#clients = Array.from({ length: count }, () => new Client(url, options));
    this.#idle = [...this.#clients];
    this.#count = count;
  }

  get idle() {
    return this.#count;
  }

  get size() {
    return this.#clients.length;
  }

  /** Opens all of them, with a request each. */
  async open() {
    const ready = { method: 'GET', path: '/ready' };
    for (let opened = 0; opened < this.size; opened += AT_ONCE) {
      const some = Array.from({ length: Math.min(AT_ONCE, this.size - opened) }, () => {
        return new Promise((resolve) => this.send(ready, resolve));
      });
      const failed = (await Promise.all(some)).find((outcome) => outcome !== 200);
      if (failed !== undefined) throw new Error(`a connection could not be opened: ${failed}`);
    }
  }

  /** Sends a request on one that is idle, which it is again when `done` is called with a status or a code. */
  send(request, done) {
    const client = this.#idle[this.#first];
    this.#first = (this.#first + 1) % this.size;
    this.#count--;
    const answer = new Answer((outcome) => {
      this.#idle[(this.#first + this.#count) % this.size] = client;
      this.#count++;
      done(outcome);
    });
    client.dispatch(request, answer);
  }
}
