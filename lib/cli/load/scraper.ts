import { readExposition, type ServiceSample } from './exposition.js';

/** The service while a step was sent. Null is what it does not tell. */
export interface ServiceFigures {
  /** Milliseconds; the highest that were told. */
  readonly eventLoopDelayP99: number | null;
  readonly eventLoopDelayMean: number | null;
  /** Bytes, at the end. */
  readonly resident: number | null;
  readonly heapUsed: number | null;
  /** Processors' time over time: 1 is one processor. */
  readonly cpu: number | null;
}

/** Milliseconds between scrapes, and at most for one. */
const INTERVAL = 1_000;
const LIMIT = 5_000;

/** Characters of a document that are read: no service exposes more. */
const LONGEST = 16 << 20;

/** Reads the service's metrics once a second while a step is sent. */
export class Scraper {
  readonly #url: string;
  readonly #token: string | undefined;
  #samples: { at: number; sample: ServiceSample }[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** The scrape under way. */
  #scraping: Promise<unknown> | undefined;
  #abort: (() => void) | undefined;

  constructor(url: string, token: string | undefined) {
    this.#url = url;
    this.#token = token;
  }

  /** Why there are no metrics, or undefined if there are. */
  async problem(): Promise<string | undefined> {
    const result = await this.#fetch();
    return typeof result === 'string' ? result : undefined;
  }

  start(): void {
    this.#samples = [];
    this.#scrape();
    this.#timer = setInterval(() => this.#scrape(), INTERVAL);
  }

  /** Scrapes once more. Undefined if no scrape was answered. */
  async stop(): Promise<ServiceFigures | undefined> {
    clearInterval(this.#timer);
    await this.#scraping;
    this.#scrape();
    await this.#scraping;
    return figuresOf(this.#samples);
  }

  /** Scrapes no more, and waits for none. */
  close(): void {
    clearInterval(this.#timer);
    this.#abort?.();
  }

  #scrape(): void {
    // A slow service is not asked again before it has answered.
    this.#scraping ??= this.#fetch().then((sample) => {
      if (typeof sample === 'object') this.#samples.push({ at: performance.now(), sample });
      this.#scraping = undefined;
    });
  }

  async #fetch(): Promise<ServiceSample | string> {
    const controller = new AbortController();
    this.#abort = () => controller.abort();
    const timer = setTimeout(() => controller.abort(new Error(`no answer within ${LIMIT / 1000} s`)), LIMIT);
    try {
      const response = await fetch(this.#url, {
        headers: this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` },
        signal: controller.signal,
      });
      const text = await response.text();
      if (!response.ok) return `it answers with ${response.status}`;
      return readExposition(text.slice(0, LONGEST)) ?? 'it tells nothing of event loop, memory or CPU';
    } catch (error) {
      const { cause, message } = error as Error & { cause?: { code?: string; message?: string } };
      return cause?.code ?? cause?.message ?? message;
    } finally {
      clearTimeout(timer);
    }
  }
}

function figuresOf(samples: readonly { at: number; sample: ServiceSample }[]): ServiceFigures | undefined {
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined) return undefined;
  const highest = (name: 'delayP99' | 'delayMean') => {
    const values = samples.map(({ sample }) => sample[name]).filter((value) => value !== undefined);
    return values.length === 0 ? null : Math.max(...values) * 1000;
  };
  const seconds = (last.at - first.at) / 1000;
  const cpu = ((last.sample.cpu ?? Number.NaN) - (first.sample.cpu ?? Number.NaN)) / seconds;
  return {
    eventLoopDelayP99: highest('delayP99'),
    eventLoopDelayMean: highest('delayMean'),
    resident: last.sample.resident ?? null,
    heapUsed: last.sample.heapUsed ?? null,
    // A service that was started anew counts from zero.
    cpu: cpu >= 0 && Number.isFinite(cpu) ? cpu : null,
  };
}
