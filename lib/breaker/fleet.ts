import { randomUUID } from 'node:crypto';
import type { RedisError } from '../errors.js';
import { PoolTime } from '../pool/time.js';
import { openScript } from '../redis/openScript.js';
import type { Engine, Governor } from './engine.js';
import type { SharedSettings } from './fleetOptions.js';
import { FLEET_SCRIPT } from './fleetScript.js';
import { type Claim, FleetStore, type FleetView, type FleetWord, type Verdict } from './fleetStore.js';
import { GATE, STATE } from './native.js';
import type { CircuitBreakerFleet } from './stats.js';

/** What has put the gate where it is: the breaker's own calls and time, the fleet, or somebody's order. */
type Cause = 'own' | 'fleet' | 'order';

/** Of an interval, by which syncs come earlier at random: the members of a fleet that began at once do not stay in step. */
const JITTER = 0.1;
const NEVER = Number.POSITIVE_INFINITY;

/**
 * A breaker as a member of a fleet that shares its state through Redis.
 *
 * It tells how it stands, hears how the fleet does, and follows: beside calls, which never wait for it. While the fleet is
 * open the breaker is open without end; only who holds the lease is half-open. While Redis gives no answer it goes by
 * itself. A sync that the gate has moved during is not followed, since what it says may be of before.
 */
export class Fleet implements Governor {
  private readonly store: FleetStore;
  private readonly timer: PoolTime;
  private readonly close: () => void;
  private cause: Cause = 'own';
  /** What was heard last; undefined while the breaker goes by itself. */
  private view: FleetView | undefined;
  /** When what was heard last was asked for. */
  private heardAt: number;
  /** When probes of the fleet are due. */
  private probesAt = 0;
  /** Whether this member has the lease, and until when nobody else can. */
  private leads = false;
  private leaseEnds = 0;
  /** Of its probes, until the fleet has heard it. */
  private verdict: Verdict = 'none';
  /** Whether it gives the lease to a member that needs it. */
  private yields = false;
  /** Calls as of the latest sync, and when a sync has last seen more of them since the lease is this member's. */
  private fires = 0;
  private calledAt = -NEVER;
  /** Whether the gate is about to move because of it. */
  private acting = false;
  /** How often the gate has moved otherwise. */
  private moves = 0;
  /** Calls that were refused until the latest sync. */
  private rejects = 0;
  private readonly errors = noErrors();
  private downSince: number | undefined;
  private left = false;
  private syncing: Promise<void> | undefined;

  constructor(
    private readonly engine: Engine,
    private readonly settings: SharedSettings,
  ) {
    const script = openScript(FLEET_SCRIPT, settings.redis);
    this.close = () => script.close();
    this.store = new FleetStore(script, settings, randomUUID(), engine.settings.resetTimeout);
    this.heardAt = engine.time.now();
    this.timer = new PoolTime(() => this.sync());
    this.soon();
  }

  get status(): CircuitBreakerFleet {
    const { view, errors, leads } = this;
    return {
      connected: view !== undefined,
      state: view === undefined ? 'unknown' : stateOf(view),
      members: view?.members ?? 0,
      votes: view?.votes ?? 0,
      probing: leads,
      errors: { ...errors },
    };
  }

  /** Does what somebody orders, which is this breaker's own affair. */
  order(act: () => void): void {
    this.act(act);
    this.moves++;
    this.cause = 'order';
    this.leads = false;
    this.verdict = 'none';
    this.soon();
  }

  moved(gate: number): void {
    if (this.acting || this.left) {
      this.acting = false;
      return;
    }
    this.moves++;
    const isOpen = gate === GATE.open;
    if (this.leads || this.verdict !== 'none') {
      this.verdict = isOpen ? 'open' : 'closed';
      this.leads = false;
    } else if (isOpen) this.cause = this.view?.open ? 'fleet' : 'own';
    // The fleet says when there are probes.
    if (isOpen && this.view?.open) this.holdOpen(this.engine.settings.resetTimeout);
    this.soon();
  }

  admits(now: number): boolean {
    return !this.leads || now < this.leaseEnds;
  }

  retryAfter(now: number): number | undefined {
    if (this.view === undefined || this.cause !== 'fleet') return undefined;
    return Math.max(0, this.probesAt - now);
  }

  /** Goes, and says so to the fleet if that is possible. */
  async leave(): Promise<void> {
    this.left = true;
    this.view = undefined;
    this.leads = false;
    this.timer.disarm();
    // Who is not told notices by the silence.
    if (this.downSince === undefined) await this.store.leave().catch(() => {});
    this.close();
  }

  private soon(): void {
    if (this.syncing === undefined && !this.left) this.arm(0);
  }

  private arm(wait: number): void {
    const now = this.timer.now();
    this.timer.arm(now + wait, now);
  }

  private sync(): void {
    const { engine, moves } = this;
    const asked = engine.time.now();
    const word = this.word(asked);
    this.rejects = engine.counts.rejects;
    this.syncing = this.store
      .sync(word)
      .then(
        (view) => this.hear(view, asked, moves),
        (error) => this.miss(error),
      )
      .then((isUrgent) => {
        this.syncing = undefined;
        if (!this.left) this.arm(isUrgent ? 0 : this.rest(asked));
      });
  }

  /** Milliseconds until the next sync, which is no later than the fleet's probes are due. */
  private rest(asked: number): number {
    const now = this.engine.time.now();
    const next = asked + this.settings.interval * (1 - JITTER * Math.random()) - now;
    const isAwaited = this.view?.open && this.probesAt > now;
    return Math.max(0, isAwaited ? Math.min(next, this.probesAt - now) : next);
  }

  private word(now: number): FleetWord {
    const { view, verdict, cause } = this;
    // What was heard long ago may be of a fleet that is not any more.
    const isFresh = view !== undefined && now - this.heardAt < this.settings.life;
    return {
      votes: cause === 'own' && this.gate !== GATE.closed,
      claim: this.claim(),
      verdict,
      epoch: isFresh ? view.epoch : 0,
      open: view?.open ?? false,
      wait: Math.max(0, this.probesAt - now),
    };
  }

  private claim(): Claim {
    const { engine } = this;
    if (this.leads || this.verdict !== 'none') return 'lead';
    if (this.cause !== 'fleet' || this.yields || !engine.enabled || this.gate !== GATE.open) return 'none';
    return engine.counts.rejects > this.rejects ? 'need' : 'take';
  }

  private get gate(): number {
    return this.engine.state[STATE.gate]!;
  }

  /** Returns whether the fleet is to hear something at once. */
  private hear(view: FleetView, asked: number, moves: number): boolean {
    if (this.left) return false;
    this.heardAt = asked;
    this.recovered();
    this.yields = false;
    // The fleet hears first of what has come in between.
    if (moves !== this.moves) return true;
    const isNew = view.epoch !== (this.view?.epoch ?? 0);
    this.view = view;
    this.verdict = 'none';
    this.probesAt = this.engine.time.now() + view.wait;
    this.leaseEnds = asked + this.settings.life;
    this.follow(view, isNew);
    return this.yields;
  }

  private follow(view: FleetView, isNew: boolean): void {
    if (this.gate === GATE.forcedOpen) return;
    if (isNew && view.open) this.cause = 'fleet';
    this.lead(this.cause === 'fleet' && view.mine);
    if (this.cause !== 'fleet') return;
    if (!view.open) this.rejoinClosed();
    else if (!view.mine) this.holdOpen(view.wait);
    else if (view.wanted && this.isIdle()) this.yield();
    else this.act(() => this.engine.go(GATE.halfOpen));
  }

  private rejoinClosed(): void {
    this.cause = 'own';
    this.act(() => this.engine.go(GATE.closed));
  }

  private lead(leads: boolean): void {
    const { fires } = this.engine.counts;
    if (!this.leads) this.calledAt = -NEVER;
    else if (fires > this.fires) this.calledAt = this.engine.time.now();
    this.fires = fires;
    this.leads = leads;
  }

  /** Whether the lease is no use here: a round that has begun gets the time that the breaker itself gives it. */
  private isIdle(): boolean {
    const { enabled, flight, settings, time } = this.engine;
    if (!enabled) return true;
    return flight.running === 0 && time.now() - this.calledAt >= settings.resetTimeout;
  }

  /** Nobody else has the lease before this member lets no probe through any more. */
  private yield(): void {
    this.leads = false;
    this.yields = true;
    this.holdOpen(0);
  }

  /** Is open until the fleet says otherwise; its probes are due in so many milliseconds. */
  private holdOpen(wait: number): void {
    this.probesAt = this.engine.time.now() + wait;
    this.act(() => this.engine.openUntil(NEVER));
  }

  private miss(error: RedisError): boolean {
    this.errors[error.failure]++;
    const now = this.engine.time.now();
    if (this.left || this.downSince !== undefined || now - this.heardAt < this.settings.life) return false;
    this.downSince = this.heardAt;
    this.goAlone(now);
    const { name } = this.engine.settings;
    this.engine.say('redis-error', { breaker: name, error }, error);
    return false;
  }

  /** From now on the breaker goes by its own state; what the fleet has opened has its probes when they were due. */
  private goAlone(now: number): void {
    this.view = undefined;
    this.leads = false;
    this.yields = false;
    this.verdict = 'none';
    if (this.cause !== 'fleet' || this.gate !== GATE.open) return;
    this.act(() => this.engine.openUntil(Math.max(now, this.probesAt)));
  }

  private recovered(): void {
    if (this.downSince === undefined) return;
    const downMs = this.engine.time.now() - this.downSince;
    this.downSince = undefined;
    this.engine.say('recovered', { breaker: this.engine.settings.name, downMs }, downMs);
  }

  /** Moves the gate: that is no news then, but what its listeners bring about is. */
  private act(move: () => void): void {
    this.acting = true;
    try {
      move();
    } finally {
      this.acting = false;
    }
  }
}

function noErrors(): CircuitBreakerFleet['errors'] {
  return { timeout: 0, connection: 0, permission: 0, server: 0, overloaded: 0, closed: 0 };
}

function stateOf({ open, held }: FleetView): 'closed' | 'open' | 'halfOpen' {
  if (!open) return 'closed';
  return held ? 'halfOpen' : 'open';
}
