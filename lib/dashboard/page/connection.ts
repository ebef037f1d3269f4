import { type Listener, parser } from './events.js';

/** How the connection stands: 'refused' needs another token, 'paused' was asked for. */
export type State = 'connecting' | 'live' | 'lost' | 'refused' | 'paused';

/** Milliseconds before it is tried again: twice as long each time. */
const [FIRST_DELAY, LONGEST_DELAY] = [1_000, 15_000];
/** Milliseconds without a sign of life, which comes each 15 s at least, after which the connection is taken for lost. */
const SILENCE = 45_000;

/** Follows the stream of the service, and goes back to it for as long as nobody pauses it. */
export class Connection {
  token: string | undefined;
  readonly #listener: Listener;
  readonly #tell: (state: State, why?: string) => void;
  #attempt: AbortController | undefined;
  #timer: number | undefined;
  #delay = FIRST_DELAY;

  constructor(listener: Listener, tell: (state: State, why?: string) => void) {
    this.#listener = listener;
    this.#tell = tell;
  }

  /** Connects, if it is not connected. */
  open(): void {
    if (this.#attempt !== undefined) return;
    clearTimeout(this.#timer);
    const attempt = new AbortController();
    this.#attempt = attempt;
    this.#tell('connecting');
    void this.#follow(attempt);
  }

  pause(): void {
    this.#stop();
    this.#delay = FIRST_DELAY;
    this.#tell('paused');
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#attempt?.abort();
    this.#attempt = undefined;
  }

  async #follow(attempt: AbortController): Promise<void> {
    let why: string | undefined;
    try {
      const headers: HeadersInit = this.token === undefined ? {} : { Authorization: `Bearer ${this.token}` };
      const response = await fetch('events', { headers, signal: attempt.signal, cache: 'no-store' });
      if (response.ok) await this.#read(response.body!, attempt);
      else why = await response.text();
      if (response.status === 401 && this.#attempt === attempt) {
        this.#stop();
        this.#tell('refused', this.token === undefined ? undefined : why);
        return;
      }
    } catch {
      // The service is away, or the attempt was given up.
    }
    if (this.#attempt !== attempt) return;
    this.#stop();
    this.#tell('lost', why);
    this.#timer = setTimeout(() => this.open(), this.#delay);
    this.#delay = Math.min(2 * this.#delay, LONGEST_DELAY);
  }

  async #read(body: ReadableStream<Uint8Array>, attempt: AbortController): Promise<void> {
    const reader = body
      .pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)
      .getReader();
    const parse = parser((name, data) => {
      if (this.#attempt !== attempt) return;
      this.#delay = FIRST_DELAY;
      this.#tell('live');
      this.#listener(name, data);
    });
    let watch: number | undefined;
    try {
      for (;;) {
        clearTimeout(watch);
        watch = setTimeout(() => reader.cancel(), SILENCE);
        const { done, value } = await reader.read();
        if (done) return;
        parse(value);
      }
    } finally {
      clearTimeout(watch);
    }
  }
}
