import fc from 'fast-check';
import { binding } from '../dist/native';
import {
  ACTION,
  ACTION_WIDTH,
  type NativeConnectionPool,
  OPTION,
  OPTION_COUNT,
  PRIORITY,
  STATE,
  STATE_COUNT,
} from '../dist/pool/native';
import type { Settings } from '../dist/pool/options';
import { Pooled } from '../dist/pool/pooled';
import { Returns } from '../dist/pool/returns';

const NEVER = Number.POSITIVE_INFINITY;
const PATIENCE = 40;
const COUNTS = ['idle', 'lent', 'opening', 'validating', 'closing', 'waiting', 'failures', 'gate'] as const;

type Move =
  | { op: 'acquire' | 'urgent' | 'wished' | 'pause' | 'resume' | 'evict' | 'drain' | 'fill' }
  | { op: 'release' | 'discard'; index: number }
  | { op: 'advance' | 'late'; ms: number };

const index = fc.nat(20);
const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ op: fc.constant('acquire' as const) }) },
  { weight: 8, arbitrary: fc.record({ op: fc.constant('release' as const), index }) },
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constantFrom('advance', 'advance', 'late' as const) as fc.Arbitrary<'advance' | 'late'>,
      ms: fc.nat(30),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constantFrom('urgent', 'wished', 'pause', 'resume', 'resume', 'evict', 'drain', 'fill' as const),
    }) as fc.Arbitrary<Move>,
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('discard' as const), index }) },
);

const limits = fc.record({
  max: fc.integer({ min: 1, max: 5 }),
  min: fc.nat(2),
  idleTimeout: fc.constantFrom(NEVER, 10, 60),
  maxLifetime: fc.constantFrom(NEVER, 50, 300),
  lifetimeJitter: fc.constantFrom(0, 0.5),
  maxUses: fc.constantFrom(NEVER, NEVER, NEVER, 3),
  lifo: fc.constantFrom(1, 1, 1, 0),
  validateAfter: fc.constantFrom(NEVER, NEVER, 0, 15),
  probeInterval: fc.constantFrom(NEVER, 25),
  leakAfter: fc.constantFrom(NEVER, NEVER, NEVER, 20),
});

/** A native core, told of each return or not. */
class Side {
  readonly state = new Float64Array(STATE_COUNT);
  readonly native: NativeConnectionPool;
  private readonly actions = new Int32Array(64 * ACTION_WIDTH);
  private readonly returns: Returns;
  private readonly pooled = Array.from(
    { length: 8 },
    (_, slot) => new Pooled(undefined as never, slot, slot, slot),
  );

  constructor(
    options: Float64Array,
    private readonly keeps: boolean,
  ) {
    const settings = { max: options[OPTION.max], native: options } as Settings;
    this.returns = new Returns(settings, this.state);
    this.native = binding.createConnectionPool(options, this.state, this.actions, this.returns.pairs);
  }

  acquire(now: number): number {
    const kept = this.keeps ? this.returns.lend(now) : -1;
    return kept >= 0 ? kept : this.native.acquire(now, now + PATIENCE, PRIORITY.normal);
  }

  release(now: number, slot: number): number {
    if (this.keeps && this.returns.keep(this.pooled[slot]!, now)) return -1;
    return this.native.release(now, slot);
  }

  opened(now: number, slot: number): number {
    const ticket = this.native.opened(now, slot);
    this.pooled[slot]!.expires = this.native.expires(slot);
    return ticket;
  }

  evict(now: number): void {
    for (const pooled of this.pooled) pooled.expires = Number.NEGATIVE_INFINITY;
    this.native.evict(now);
  }

  counts(): number[] {
    return COUNTS.map((name) => this.state[STATE[name]]!);
  }

  take(): number[] {
    return this.state[STATE.pending]! > 0
      ? [...this.actions.subarray(0, this.native.take() * ACTION_WIDTH)]
      : [];
  }
}

/** Two cores, of which the one is told of each return and the other as the pool does it. */
class Twins {
  private now = 1;
  private lent: number[] = [];
  private readonly told: Side;
  private readonly kept: Side;

  constructor(given: Record<string, number>) {
    const options = new Float64Array(OPTION_COUNT).fill(NEVER);
    Object.assign(options, { [OPTION.failFast]: 0, [OPTION.failureThreshold]: 3, [OPTION.seed]: 7 });
    for (const [name, value] of Object.entries(given)) options[OPTION[name as keyof typeof OPTION]] = value;
    options[OPTION.maxOpening] = options[OPTION.max]!;
    options[OPTION.min] = Math.min(options[OPTION.min]!, options[OPTION.max]!);
    this.told = new Side(options, false);
    this.kept = new Side(options, true);
  }

  run(move: Move): void {
    switch (move.op) {
      case 'acquire':
        this.granted(this.both((side) => side.acquire(this.now)));
        break;
      case 'urgent':
        this.granted(this.both(({ native }) => native.acquire(this.now, NEVER, PRIORITY.high)));
        break;
      case 'wished':
        this.granted(this.both(({ native }) => native.acquireFor(this.now, this.now + 5, PRIORITY.low, 'a')));
        break;
      case 'release':
      case 'discard':
        this.giveBack(move.op, move.index);
        break;
      case 'advance':
        this.advance(this.now + move.ms);
        break;
      case 'evict':
        this.both((side) => side.evict(this.now));
        break;
      case 'fill':
        while (this.kept.state[STATE.idle]! > 0 && this.kept.state[STATE.waiting] === 0) {
          const before = this.lent.length;
          this.run({ op: 'acquire' });
          if (this.lent.length === before) break;
        }
        break;
      case 'drain':
        this.both(({ native }) => native.refuse(this.now, 1));
        break;
      case 'pause':
        this.both(({ native }) => native.pause(this.now));
        break;
      case 'resume':
        this.both(({ native }) => native.resume(this.now));
        this.both(({ native }) => native.refuse(this.now, 0));
        break;
      case 'late':
        // The thread is held up: nothing ticks.
        this.now += move.ms;
    }
    this.settle();
  }

  /** Has both do the same, and looks that the same comes of it. */
  private both<R>(call: (side: Side) => R): R {
    const [told, kept] = [call(this.told), call(this.kept)];
    const [mine, other] = [this.kept, this.told].map((side) => `${side.counts()}`);
    // What holds nearly always is looked at without `expect`, which takes a hundred times as long.
    if (mine !== other || `${kept}` !== `${told}`) expect([kept, mine]).toEqual([told, other]);
    return kept;
  }

  private granted(slot: number): void {
    if (slot >= 0) this.lent.push(slot);
  }

  private giveBack(op: 'release' | 'discard', index: number): void {
    const [slot] = this.lent.splice(index % this.lent.length, 1);
    if (slot === undefined) return;
    if (op === 'discard') this.both(({ native }) => native.discard(this.now, slot));
    else this.served(slot, (side) => side.release(this.now, slot));
  }

  private served(slot: number, report: (side: Side) => number): void {
    if (this.both(report) >= 0) this.lent.push(slot);
  }

  private advance(until: number): void {
    for (;;) {
      const due = Math.min(this.kept.state[STATE.due]!, this.told.state[STATE.due]!);
      if (due > until) break;
      this.now = Math.max(this.now, due);
      const isDue = this.kept.state[STATE.due]! <= this.now;
      this.both(({ native }) => native.tick(this.now));
      // Either may be due too early, which does nothing.
      if (this.kept.state[STATE.pending]! > 0) expect(isDue).toBe(true);
      this.settle();
    }
    this.now = until;
  }

  /** Carries out what both want. */
  private settle(): void {
    for (let actions = this.both((side) => side.take()); actions.length > 0; ) {
      for (let at = 0; at < actions.length; at += ACTION_WIDTH)
        this.carryOut(actions[at]!, actions[at + 1]!, actions[at + 2]!);
      actions = this.both((side) => side.take());
    }
  }

  private carryOut(action: number, first: number, second: number): void {
    if (action === ACTION.create) this.served(first, (side) => side.opened(this.now, first));
    if (action === ACTION.validate) this.served(first, ({ native }) => native.validated(this.now, first, 1));
    if (action === ACTION.close) this.both(({ native }) => native.closed(this.now, first));
    if (action === ACTION.lend) this.lent.push(second);
  }
}

test('a core that hears of returns later lends, closes and ticks as one that hears of each', () => {
  fc.assert(
    fc.property(limits, fc.array(move, { maxLength: 80 }), (limits, moves) => {
      const twins = new Twins(limits);
      for (const move of moves) twins.run(move);
      twins.run({ op: 'advance', ms: 400 });
    }),
    { numRuns: 2_000 },
  );
}, 120_000);
