import {
  BreakerOpenError,
  type CallContext,
  CircuitBreaker,
  TimeoutError,
} from '../lib/utilities/performance/circuitBreaker';
import type { TieredCache } from '../lib/utilities/performance/tieredCache';
import type { TimerManager } from '../lib/utilities/performance/timerManager';

export interface Quote {
  country: string;
  /** In euro cents. */
  price: number;
  days: number;
}

/** Asks a carrier for the price of a delivery. The signal aborts when nobody waits for that any more. */
export type Carrier = (country: string, context: CallContext) => Promise<Quote | undefined>;

/** A quote; an earlier one if the carrier gave none now. */
export type Answer = Quote & { estimated?: true };

/** The carrier was late, or is left alone since it has failed too often. */
export class CarrierAwayError extends Error {
  /** @param retryAfter seconds until it is asked again; undefined if it was late */
  constructor(
    message: string,
    readonly retryAfter: number | undefined,
    cause: Error,
  ) {
    super(message, { cause });
  }
}

/** Tells that the carrier is away from what it says itself. */
function telling(error: unknown): unknown {
  if (error instanceof TimeoutError)
    return new CarrierAwayError('The carrier did not answer in time', undefined, error);
  if (!(error instanceof BreakerOpenError)) return error;
  const rest = Math.min(error.retryAfter, REST);
  return new CarrierAwayError(
    'The carrier is away; try again later',
    Math.max(1, Math.ceil(rest / 1000)),
    error,
  );
}

const RATES: Record<string, [price: number, days: number]> = {
  AT: [590, 2],
  CH: [1490, 4],
  DE: [390, 1],
  FR: [790, 3],
  JP: [2900, 9],
};

/** Stands in for a carrier's API, with the 5 ms of latency that a good one has. */
export function embeddedCarrier(timers: TimerManager): Carrier {
  return (country) =>
    new Promise((resolve) => {
      timers.setTimeout(() => {
        const rate = RATES[country];
        resolve(rate && { country, price: rate[0], days: rate[1] });
      }, 5);
    });
}

/** What of its time a request waits for the carrier, so that it can still be answered otherwise. */
const SHARE = 0.8;
/** Milliseconds for which a carrier that fails is left alone. */
const REST = 10_000;

/** Quotes of a carrier that may be slow or away: then an earlier one does, if there is one. */
export class Delivery {
  readonly breaker: CircuitBreaker<[country: string], Answer | undefined>;
  readonly #known: TieredCache<Quote>;
  #failure: unknown;

  /**
   * @param known the last quotes
   * @param report is told when the carrier fails so often that it is left alone
   */
  constructor(
    carrier: Carrier,
    known: TieredCache<Quote>,
    requestTimeout: number,
    report: (error: unknown) => void,
  ) {
    this.#known = known;
    const ask = async (country: string, context: CallContext): Promise<Answer | undefined> => {
      const quote = await carrier(country, context);
      await (quote === undefined ? known.delete(country) : known.set(country, quote));
      return quote;
    };
    const timeout = Math.ceil(SHARE * requestTimeout);
    this.breaker = new CircuitBreaker(ask, { name: 'carrier', timeout, resetTimeout: REST, signal: true });
    this.breaker.fallback((country, error) => this.#estimate(country, error));
    this.breaker.on('failure', (error) => (this.#failure = error));
    this.breaker.on('open', () =>
      report(new Error('The carrier fails, and is left alone for a while', { cause: this.#failure })),
    );
  }

  /**
   * The carrier's quote, or else an estimate; undefined if it delivers nothing there.
   *
   * Rejects as the carrier does, and with CarrierAwayError.
   */
  quote(country: string): Promise<Answer | undefined> {
    return this.breaker.fire(country);
  }

  async #estimate(country: string, error: unknown): Promise<Answer> {
    const quote = await this.#known.get(country);
    if (quote === undefined) throw telling(error);
    return { ...quote, estimated: true };
  }

  close(): Promise<void> {
    this.breaker.shutdown();
    return this.#known.close();
  }
}
