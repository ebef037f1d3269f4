import { RedisError, type RedisFailure } from '../errors.js';
import { binding } from '../native.js';
import { Express } from './express.js';
import { ASK, COUNTS, failureOf, type NativeRedisLink, ROOM, ROW } from './native.js';
import { Dialer } from './socket.js';

/** What a script returned. Its lists hold no lists. */
export type RedisReply = RedisItem | RedisItem[];
/** Strings of Redis are bytes. Numbers are whole. */
export type RedisItem = null | number | Buffer;

/** Who waits for something that was sent. Exactly one of the two is called, once. */
export interface Sender {
  /** Whether the process may end while this is under way. */
  readonly isIdle?: boolean;
  /** The link's arrays have what came of it. */
  landed(link: RedisLink): void;
  failed(error: RedisError): void;
}

/** How a link stands, and what it did so far. */
export type RedisLinkCounts = Record<(typeof COUNTS)[number], number>;

const links = new Map<string, RedisLink>();

/**
 * A link to one Redis, shared by all of this thread who connect alike. Connections are made and mended in the background; it
 * keeps the process alive only while something is in flight that it is to stay for. Channels are listened to by
 * {@link RedisSubscription}, over connections of their own, which end with it.
 */
export class RedisLink {
  /** Shared with native code: see lib/redis/native.ts. */
  readonly asks = new Float64Array(ROOM * ASK);
  readonly numbers = new Float64Array(ROOM * ROW);
  readonly lengths = new Uint32Array(ROOM);
  readonly native: NativeRedisLink;
  readonly express: Express;
  readonly #spec: string;
  readonly #senders = new Map<number, Sender>();
  /** Of the senders, those that the process stays for. */
  #holders = 0;
  #users = 0;

  /** The link of a spec that `redisSpec` made. Who opens it closes it. */
  static open(spec: string): RedisLink {
    let link = links.get(spec);
    if (link === undefined) {
      link = new RedisLink(spec);
      links.set(spec, link);
    }
    link.#users++;
    return link;
  }

  private constructor(spec: string) {
    this.#spec = spec;
    this.native = binding.createRedisLink(spec, () => this.#take(), this.asks, this.lengths, this.numbers);
    this.express = new Express(new Dialer(spec), () => this.native.address());
  }

  /** Whether it is connected to one server that has all keys. */
  get hasOneServer(): boolean {
    return this.native.address() !== '';
  }

  /** Remembers who waits for a ticket; 0 is none, since too much is in flight. */
  await(ticket: number, sender: Sender): void {
    if (ticket === 0) {
      sender.failed(refusal('overloaded', 'Too many requests to Redis are in flight'));
      return;
    }
    if (!sender.isIdle && this.#holders++ === 0) this.native.hold(1);
    this.#senders.set(ticket, sender);
  }

  /** The error of a code that native code gave, about what was taken last. */
  error(code: number): RedisError {
    return refusal(failureOf(code), `Redis: ${this.native.text()}`);
  }

  counts(): RedisLinkCounts {
    // An array of its own: who is told of something that has landed may ask.
    const values = new Float64Array(COUNTS.length);
    this.native.counts(values);
    return Object.fromEntries(COUNTS.map((name, place) => [name, values[place]])) as RedisLinkCounts;
  }

  /** One user less. With the last the connections close, whoever still waits fails, and subscriptions are lost. */
  close(): void {
    if (--this.#users > 0) return;
    links.delete(this.#spec);
    this.express.close();
    this.native.close();
    const senders = [...this.#senders.values()];
    this.#senders.clear();
    if (this.#holders > 0) this.native.hold(0);
    this.#holders = 0;
    for (const sender of senders) sender.failed(refusal('closed', 'The link to Redis was closed'));
  }

  #take(): void {
    for (let ticket = this.native.take(); ticket !== 0; ticket = this.native.take()) {
      const sender = this.#senders.get(ticket);
      // Who waited may have given up.
      if (sender === undefined) continue;
      this.#senders.delete(ticket);
      if (!sender.isIdle && --this.#holders === 0) this.native.hold(0);
      sender.landed(this);
    }
  }
}

/** Throws what a callback threw outside of it, since others wait behind. */
export function throwLater(error: unknown): void {
  process.nextTick(() => {
    throw error;
  });
}

/** An error of Redis, or of the way there. */
export function refusal(failure: RedisFailure, message: string): RedisError {
  return new RedisError(failure, message);
}
