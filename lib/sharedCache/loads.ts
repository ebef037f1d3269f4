import { LoadError } from '../errors.js';
import { spans } from '../openTelemetry/spans.js';
import { abortable } from '../signals.js';
import { abortSignal, options as optionsOf } from '../validate.js';
import { decode } from './codec.js';
import { FLIGHT, type NativeSharedCache, TOLD } from './native.js';
import { type SharedCacheSetOptions, setOptionsOf } from './options.js';
import type { Tickets } from './tickets.js';

/** Makes the value of a key. */
export type SharedCacheLoader<V> = (key: string) => V | PromiseLike<V>;

/** Options of a load. */
export interface SharedCacheLoadOptions extends SharedCacheSetOptions {
  /** Gives up waiting: this call rejects with `signal.reason`, and the load goes on. */
  signal?: AbortSignal | undefined;
}

/** What loads need of their cache. */
interface Host<V> {
  readonly native: NativeSharedCache;
  readonly numbers: Float64Array;
  readonly tickets: Tickets;
  /** What is there, if anything. */
  peek(key: string): V | undefined;
  /** Stores what a load gave, unless the key has changed since it began, and tells who waits for it. */
  land(ticket: number, key: string, value: V, options: SharedCacheSetOptions): void;
}

/** @throws InvalidArgumentError */
export function loadOptionsOf(options: SharedCacheLoadOptions): SharedCacheLoadOptions {
  const { signal, ...rest } = optionsOf<SharedCacheLoadOptions>('options', options, [
    'ttl',
    'tags',
    'signal',
  ]);
  if (signal !== undefined) abortSignal('signal', signal);
  return { signal, ...setOptionsOf(rest) };
}

/** A load that this thread leads. */
interface Lead {
  /** Of its loader, once it has failed. */
  failure?: { readonly error: unknown };
}

/** Loads of one handle: one a key at a time in all threads of the process. */
export class Loads<V> {
  readonly #host: Host<V>;
  /** By their keys and numbers. */
  readonly #leads = new Map<string, Lead>();

  constructor(host: Host<V>) {
    this.#host = host;
  }

  load(key: string, loader: SharedCacheLoader<V>, options: SharedCacheLoadOptions): Promise<V> {
    const flight = this.fly(key, spans?.loader('shared', loader) ?? loader, options);
    return options.signal === undefined ? flight : abortable(flight, options.signal);
  }

  /**
   * Also callers of this thread wait for each other in native code, which knows who came after a change, and is to get nothing
   * from before it.
   *
   * @param options read when the loader has ended
   * @param isGood whether what is found needs no load; what is not stays until the load lands
   */
  async fly(
    key: string,
    loader: SharedCacheLoader<V>,
    options: SharedCacheSetOptions,
    isGood: (found: V) => boolean = () => true,
  ): Promise<V> {
    const { native, numbers, tickets, peek } = this.#host;
    for (;;) {
      const isLeader = native.begin(key) === FLIGHT.lead;
      const [ticket = 0, load = 0] = numbers;
      // Another load may have ended since the caller looked.
      const found = peek(key);
      if (found !== undefined && isGood(found)) {
        native.forget(ticket);
        return found;
      }
      const name = `${load} ${key}`;
      if (isLeader) return this.#lead(ticket, key, name, loader, options);
      const lead = this.#leads.get(name);
      const { kind, number, value, message } = await tickets.wait(ticket);
      if (kind === TOLD.loaded) return decode(number, value) as V;
      if (kind === TOLD.failed) {
        // Nothing is what a load gives that fails without a word.
        if (message === '') return undefined as V;
        throw lead?.failure === undefined ? new LoadError(key, message) : lead.failure.error;
      }
    }
  }

  async #lead(
    ticket: number,
    key: string,
    name: string,
    loader: SharedCacheLoader<V>,
    options: SharedCacheSetOptions,
  ): Promise<V> {
    const { native, land } = this.#host;
    const lead: Lead = {};
    this.#leads.set(name, lead);
    try {
      const value = await loader(key);
      if (value === undefined) native.fail(ticket, '');
      else land(ticket, key, value, options);
      return value;
    } catch (error) {
      lead.failure = { error };
      native.fail(ticket, told(error));
      throw error;
    } finally {
      this.#leads.delete(name);
    }
  }
}

/** What other threads are told of an error. */
export function told(error: unknown): string {
  try {
    return String((error as Error)?.message ?? error) || 'without a message';
  } catch {
    return 'without a message';
  }
}
