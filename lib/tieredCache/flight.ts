import { randomUUID } from 'node:crypto';
import { clearInterval, setInterval } from 'node:timers';
import { LoadError, TimeoutError } from '../errors.js';
import { spans } from '../openTelemetry/spans.js';
import { type Loads, told } from '../sharedCache/loads.js';
import { within } from '../within.js';
import { Answer } from './answer.js';
import { ABSENT } from './envelope.js';
import { type Fleet, RedisAway } from './fleet.js';
import { isFresh, type Known, open } from './near.js';
import type { TieredCacheLoader } from './options.js';
import type { Tiers } from './tiers.js';

/** Milliseconds after which who waits for another process looks again, though nothing was said. */
const LOOK_AGAIN = 250;
/** Times that a lease is renewed while it lasts. */
const RENEWALS = 3;

/** The load of a key in this thread: what L2 and L3 have, or what the loader makes, for all who want it meanwhile. */
export class Flight {
  /** Whether something has changed since it began: what it brings is given, and not stored. */
  isOvertaken = false;
  /** Tags that were invalidated since, which what another thread loads may have. */
  readonly invalidated = new Set<string>();
  readonly answer: Answer;

  constructor(
    private readonly tiers: Tiers,
    readonly key: string,
    private readonly loader: TieredCacheLoader<any>,
    readonly ttl: number,
    readonly tags: readonly string[],
  ) {
    this.answer = new Answer(
      tiers.settings,
      (how) => tiers.counts[how === 'stale' ? 'staleHits' : 'graceHits']++,
    );
  }

  async run(): Promise<void> {
    try {
      const { value } = await this.#get();
      this.answer.loaded(value);
    } catch (error) {
      const { stale, isUntold } = this.answer.failed(error);
      const { near, settings, hooks, counts } = this.tiers;
      counts.loadErrors++;
      // What has failed is not tried again at once.
      if (stale !== undefined && !this.isOvertaken) {
        const { tags, freshUntil } = stale.envelope;
        const left = freshUntil + settings.grace - Date.now();
        if (left > 0) near.hold(this.key, stale.value, Math.min(settings.graceBackoff, left), tags);
      }
      if (isUntold) hooks.loadFailed(this.key, error);
    }
  }

  async #get(): Promise<Known> {
    const { near, counts, settings, fleet } = this.tiers;
    if (this.tiers.isBlind) await fleet?.follower.ready();
    const there = near.look(this.key);
    if (there !== undefined && isFresh(there)) {
      counts.l2Hits++;
      if (!this.isOvertaken) near.keep(this.key, there, true);
      return there;
    }
    if (there !== undefined) this.answer.offer(there);
    const known = await (settings.l2 === undefined ? this.#lead() : this.#join(settings.l2.inside.loads));
    if (settings.l2 === undefined) this.#keep(known, false);
    return known;
  }

  /** Of all threads one leads. */
  async #join(loads: Loads<unknown>): Promise<Known> {
    let mine: Known | undefined;
    const how = { ttl: Number.POSITIVE_INFINITY, tags: this.tags };
    const lead = async (): Promise<Uint8Array | undefined> => {
      mine = await this.#lead();
      const { envelope } = mine;
      // The other threads are told of it all the same. In L2 is what has overtaken it, or this lands there, as nothing.
      if (this.isOvertaken) envelope.spend();
      const life = envelope.life(Date.now());
      [how.ttl, how.tags] = [life > 0 ? life : 1, envelope.tags];
      return envelope.bytes;
    };
    const isGood = (found: unknown): boolean => {
      const known = open(found);
      return (
        known !== undefined && isFresh(known) && !this.tiers.ledger.isOverruled(this.key, known.envelope)
      );
    };
    const bytes = await loads.fly(this.key, lead, how, isGood);
    const known = mine ?? open(bytes) ?? this.tiers.nothing();
    this.#keep(known, true);
    return known;
  }

  #keep(known: Known, inL1Alone: boolean): void {
    const { near, ledger } = this.tiers;
    if (this.isOvertaken || ledger.isOverruled(this.key, known.envelope)) return;
    if (known.envelope.tags.some((tag) => this.invalidated.has(tag))) return;
    if (known.envelope.life(Date.now()) > 0) near.keep(this.key, known, inL1Alone);
  }

  async #lead(): Promise<Known> {
    const { fleet } = this.tiers;
    if (fleet === undefined || !(await fleet.follower.ready())) return this.#make();
    try {
      return await this.#leadFleet(fleet);
    } catch (error) {
      if (!(error instanceof RedisAway)) throw error;
      return this.#make();
    }
  }

  /** Of all processes one leads, unless L3 has the value. */
  async #leadFleet(fleet: Fleet): Promise<Known> {
    const token = randomUUID();
    let seen: Buffer | undefined;
    for (;;) {
      const wait = fleet.waits.begin(this.key);
      try {
        const read = await fleet.read(this.key, token, seen);
        if (read.kind === 'lead') return await this.#makeForFleet(fleet, token);
        if (read.kind === 'known' && isFresh(read.known)) {
          this.tiers.counts.l3Hits++;
          return read.known;
        }
        if (read.kind === 'known') this.answer.offer(read.known);
        if (read.kind === 'known' || read.kind === 'useless') seen = read.head;
        else {
          const ending = await wait.within(LOOK_AGAIN * (1 + Math.random()));
          if (ending?.failed === '') return this.tiers.nothing();
          if (ending !== undefined) throw new LoadError(this.key, ending.failed);
        }
      } finally {
        wait.close();
      }
    }
  }

  /** Loads under a lease, which is renewed meanwhile, and stores that in L3. */
  async #makeForFleet(fleet: Fleet, token: string): Promise<Known> {
    const { remote, lease } = fleet;
    const renew = (): void => fleet.tell(remote.renew(this.key, token, lease));
    const renewal = setInterval(renew, lease / RENEWALS);
    try {
      const known = await this.#make();
      const life = known.envelope.life(Date.now());
      if (life <= 0) fleet.tell(remote.release(this.key, token, ''));
      else await this.#land(fleet, token, known, life);
      return known;
    } catch (error) {
      fleet.tell(remote.release(this.key, token, told(error)));
      throw error;
    } finally {
      clearInterval(renewal);
    }
  }

  async #land(fleet: Fleet, token: string, { envelope }: Known, life: number): Promise<void> {
    try {
      const isStored = await fleet.ask(fleet.remote.land(this.key, token, envelope.bytes, life));
      if (!isStored) this.isOvertaken = true;
    } catch (error) {
      // What was loaded is as good without it.
      if (!(error instanceof RedisAway)) throw error;
    }
  }

  /** What the loader gives, within its time. */
  async #make(): Promise<Known> {
    const { loadTimeout } = this.tiers.settings;
    const { position } = this.tiers.ledger;
    const controller = new AbortController();
    this.tiers.counts.loads++;
    // Async, so that a loader that throws at once is one that fails.
    const loader = spans?.loader('tiered', this.loader) ?? this.loader;
    const load = async (): Promise<unknown> => loader(this.key, { signal: controller.signal });
    let late: TimeoutError | undefined;
    try {
      const value = await within(loadTimeout, load(), () => {
        late = new TimeoutError(`The loader of '${this.key}'`, loadTimeout);
        return late;
      });
      return this.tiers.seal(value === undefined ? ABSENT : value, this, position);
    } finally {
      // After the callers have their error, whatever the loader makes of this.
      if (late !== undefined) controller.abort(late);
    }
  }
}
