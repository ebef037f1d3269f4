import { clearTimeout, setTimeout } from 'node:timers';
import type { RedisError } from '../errors.js';
import { held } from '../held.js';
import type { Subscription } from '../redis/subscription.js';
import type { Calls } from './calls.js';
import type { Ledger } from './ledger.js';
import { ALL_MEMBER, keyOf, type News, type Remote } from './remote.js';
import type { Waits } from './waits.js';

/** Milliseconds at most until a Redis that is away is tried again. */
const RETRY = 1000;

/** What is to be done about what the follower hears. */
export interface Hearer {
  /** The first news, before anything was given; whether they are all since the position that it began with. */
  began(isWhole: boolean): void;
  /** Everything is heard of until the position that the ledger has. */
  heard(): void;
  changedKey(key: string, position: number): void;
  changedTag(tag: string): void;
  cleared(): void;
  /** Something may have changed that will never be heard of. */
  missed(): void;
  /** Whether something is left undone. */
  readonly owes: boolean;
  /** Redis answers again; what was left undone meanwhile is to be done. @throws RedisError */
  resume(): Promise<void>;
  failed(error: RedisError): void;
  recovered(downMs: number): void;
}

/**
 * Follows the changes in the fleet. News are asked for when the channel says that there are some, and each `interval` in any
 * case, so that none is heard later than that as long as Redis answers. While it does not, this is also who tries it.
 */
export class Follower {
  #state: 'starting' | 'up' | 'down' = 'starting';
  readonly #remote: Remote;
  readonly #ledger: Ledger;
  readonly #hearer: Hearer;
  readonly #waits: Waits;
  readonly #interval: number;
  readonly #subscription: Subscription;
  /** Positions of this thread's own changes, which are no news. */
  readonly #own = new Set<number>();
  /** The latest position that Redis was heard to have given. */
  #last = 0;
  #timer: NodeJS.Timeout | undefined;
  #listening: Promise<boolean> | undefined;
  /** Whether there is to be another look, as something was said during this one. */
  #again = false;
  #downSince = 0;
  #heardAt: number | undefined;
  #isClosed = false;

  constructor(
    calls: Calls,
    { remote, ledger, waits }: { remote: Remote; ledger: Ledger; waits: Waits },
    hearer: Hearer,
    interval: number,
  ) {
    this.#remote = remote;
    this.#ledger = ledger;
    this.#waits = waits;
    this.#hearer = hearer;
    this.#interval = interval;
    this.#subscription = calls.listen(remote.channel, {
      message: (payload) => this.#said(payload.toString()),
      subscribed: () => void this.listen(),
      lost: () => {},
    });
    void this.listen();
  }

  /** Whether Redis may be asked now. */
  ready(): boolean | Promise<boolean> {
    return this.#state === 'starting' ? held(this.listen()) : this.#state === 'up';
  }

  /** Whether nothing was heard yet, nor that Redis is away. */
  get isStarting(): boolean {
    return this.#state === 'starting';
  }

  get isUp(): boolean {
    return this.#state === 'up';
  }

  /** When everything until then was known, by `performance`; undefined before the first time. */
  get heardAt(): number | undefined {
    return this.#heardAt;
  }

  /** Redis gave no answer to somebody. */
  failed(error: RedisError): void {
    if (this.#isClosed || this.#state === 'down') return;
    this.#state = 'down';
    this.#downSince = performance.now();
    if (this.#listening === undefined) this.#listenLater();
    this.#hearer.failed(error);
  }

  /** Takes in where a change of one's own stands. */
  told([before, position]: readonly [number, number]): void {
    this.#last = Math.max(this.#last, position);
    if (before <= this.#ledger.position) this.#ledger.position = Math.max(this.#ledger.position, position);
    else this.#own.add(position);
  }

  /** Asks for news. Resolves whether Redis may be asked. */
  listen(): Promise<boolean> {
    if (this.#listening !== undefined) {
      this.#again = true;
      return this.#listening;
    }
    clearTimeout(this.#timer);
    this.#listening = this.#listen().finally(() => {
      this.#listening = undefined;
      if (!this.#isClosed) this.#listenLater();
    });
    return this.#listening;
  }

  #listenLater(): void {
    const wait = this.isUp ? this.#interval : Math.min(this.#interval, RETRY);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.listen(), wait).unref();
  }

  async #listen(): Promise<boolean> {
    try {
      do {
        this.#again = false;
        const asked = performance.now();
        const news = await this.#hearNews();
        if (this.#isClosed) return false;
        this.#take(news);
        this.#heardAt = asked;
        if (news.hasMore) this.#again = true;
        else if (this.#state !== 'up') await this.#rise();
      } while (this.#again);
      return this.isUp;
    } catch (error) {
      this.failed(error as RedisError);
      return false;
    }
  }

  #hearNews(): Promise<News> {
    const { position, epoch } = this.#ledger;
    return this.#remote.hear(position, Math.max(position, this.#last), epoch);
  }

  async #rise(): Promise<void> {
    if (this.#state !== 'starting') {
      await this.#hearer.resume();
      // What was told by that is news.
      const news = await this.#hearNews();
      this.#take(news);
      // More may be left undone meanwhile.
      this.#again = news.hasMore || this.#hearer.owes;
    }
    if (this.#isClosed || this.#again) return;
    const wasDown = this.#state === 'down';
    this.#state = 'up';
    if (wasDown) this.#hearer.recovered(performance.now() - this.#downSince);
  }

  #take({ state, position, last, cleared, epoch, items }: News): void {
    const hearer = this.#hearer;
    const ledger = this.#ledger;
    if (state !== 'whole') {
      ledger.forget();
      this.#own.clear();
      this.#last = 0;
    }
    // What was told by oneself in the meantime is in it, unless that is of another epoch.
    ledger.position = Math.max(ledger.position, position);
    ledger.cleared = Math.max(ledger.cleared, cleared);
    ledger.epoch = epoch;
    this.#last = Math.max(this.#last, last);
    if (this.isStarting) hearer.began(state === 'whole');
    else if (state !== 'whole') hearer.missed();
    for (const item of items) if (!this.#own.has(item.position)) this.#hear(item.member, item.position);
    // Also those that later changes of others have taken the place of.
    for (const own of this.#own) if (own <= ledger.position) this.#own.delete(own);
    hearer.heard();
  }

  #hear(member: string, position: number): void {
    const [kind, name] = [member[0], member.slice(1)];
    if (kind === 'k') {
      const key = keyOf(name);
      this.#ledger.keyChanged(key, position);
      this.#hearer.changedKey(key, position);
    } else if (kind === 't') {
      const tag = keyOf(name);
      this.#ledger.tagChanged(tag, position);
      this.#hearer.changedTag(tag);
    } else if (kind === ALL_MEMBER) {
      this.#ledger.cleared = Math.max(this.#ledger.cleared, position);
      this.#hearer.cleared();
    }
  }

  /** What was said on the channel: the position of a change, or how a load ended. */
  #said(text: string): void {
    if (/^\d+$/.test(text)) {
      if (Number(text) > this.#ledger.position && !this.#own.has(Number(text))) void this.listen();
      return;
    }
    try {
      const [name, message] = JSON.parse(text) as [string, string | false];
      this.#waits.end(keyOf(name), message === false ? undefined : { failed: message });
    } catch {
      // It is nobody's of the fleet.
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#state = 'down';
    clearTimeout(this.#timer);
    this.#subscription.close();
  }
}
