import type { RedisError } from '../errors.js';
import { type Calls, linkCalls } from './calls.js';
import { clientCalls } from './clientCalls.js';
import { HEAD } from './envelope.js';
import { Follower, type Hearer } from './follower.js';
import type { Ledger } from './ledger.js';
import { type Known, open } from './near.js';
import type { RemoteSettings } from './options.js';
import { type Found, Remote } from './remote.js';
import { Waits } from './waits.js';

/** Redis gave no answer: one has to do without. The follower knows, and has told. */
export class RedisAway extends Error {}

/** What a look at L3 has shown: of what is there, the head tells whether it is still that. */
export type Read =
  | Exclude<Found, { kind: 'value' }>
  | { readonly kind: 'known'; readonly known: Known; readonly head: Buffer }
  /** Something that cannot be read, or was invalidated. */
  | { readonly kind: 'useless'; readonly head: Buffer };

/** L3, and what goes with it. */
export class Fleet {
  readonly remote: Remote;
  readonly waits = new Waits();
  readonly follower: Follower;
  readonly lease: number;
  /** Calls that were not answered. */
  errors = 0;
  readonly #calls: Calls;
  readonly #ledger: Ledger;

  constructor(settings: RemoteSettings, ledger: Ledger, hearer: Hearer) {
    const { redis, prefix, timeout, staleness, lease } = settings;
    const { spec, client } = redis;
    this.#calls = spec === undefined ? clientCalls(client, timeout) : linkCalls(spec, timeout);
    this.#ledger = ledger;
    this.lease = lease;
    this.remote = new Remote(this.#calls, prefix);
    const parts = { remote: this.remote, ledger, waits: this.waits };
    this.follower = new Follower(this.#calls, parts, hearer, staleness);
  }

  /** What Redis answers. @throws RedisAway */
  async ask<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      this.errors++;
      this.follower.failed(error as RedisError);
      throw new RedisAway();
    }
  }

  /** Something that nobody waits for. */
  tell(answer: Promise<unknown>): void {
    this.ask(answer).catch(() => {});
  }

  /** Looks at a key. @throws RedisAway */
  async read(key: string, token?: string, seen?: Uint8Array): Promise<Read> {
    // Of keys L3 has what is told by now.
    const { position } = this.#ledger;
    const found = await this.ask(this.remote.read(key, token, this.lease, seen));
    if (found.kind !== 'value') return found;
    const head = Buffer.from(found.bytes.subarray(0, HEAD));
    const known = open(found.bytes);
    if (known === undefined) return { kind: 'useless', head };
    const { envelope } = known;
    envelope.arrived(Date.now(), found.life);
    await this.#learn(envelope.tags);
    if (this.#ledger.isInvalidated(envelope)) return { kind: 'useless', head };
    envelope.position = Math.max(envelope.position, position);
    return { kind: 'known', known, head };
  }

  async #learn(tags: readonly string[]): Promise<void> {
    const unknown = this.#ledger.unknown(tags);
    if (unknown.length === 0) return;
    const positions = await this.ask(this.remote.invalidations(unknown));
    for (const [index, tag] of unknown.entries()) this.#ledger.tagChanged(tag, positions[index] ?? 0);
  }

  /** Tells of changes. Resolves the position before, and theirs. @throws RedisAway */
  async announce(members: readonly string[]): Promise<[before: number, position: number]> {
    const positions = await this.ask(this.remote.tell(members));
    this.follower.told(positions);
    return positions;
  }

  close(): void {
    this.follower.close();
    this.#calls.close();
  }
}
