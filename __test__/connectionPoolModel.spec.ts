import fc from 'fast-check';
import {
  type AcquireOptions,
  type ConnectionFactory,
  ConnectionPool,
  type ConnectionPoolOptions,
  type Lease,
} from 'keelson';
import { settle } from './support/connections';

/** How a function of the factory ends. */
type Outcome = 'now' | 'soon' | 'later' | 'hang' | 'throw' | 'reject' | 'nothing' | 'twice';

type Step =
  | { op: 'acquire'; timeout: number; priority: 'high' | 'normal' | 'low'; affinity: string | undefined }
  | { op: 'release' | 'discard' | 'again' | 'abort' | 'break'; index: number }
  | { op: 'advance'; ms: number }
  | { op: 'plain' | 'pause' | 'resume' | 'evict' | 'drain' };

interface Program {
  options: ConnectionPoolOptions;
  creates: Outcome[];
  others: Outcome[];
  parts: { alive: boolean; validate: boolean; reset: boolean };
  steps: Step[];
  end: number;
}

const index = fc.nat(50);
const usual: Outcome[] = ['now', 'soon', 'soon', 'soon', 'later'];
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      op: fc.constant('acquire' as const),
      timeout: fc.constantFrom(0, 5, 50, 500, Number.POSITIVE_INFINITY),
      priority: fc.constantFrom('high' as const, 'normal' as const, 'low' as const),
      affinity: fc.constantFrom(undefined, undefined, 'a', 'b'),
    }),
  },
  { weight: 9, arbitrary: fc.record({ op: fc.constant('plain' as const) }) },
  {
    weight: 9,
    arbitrary: fc.record({
      op: fc.constantFrom<'release' | 'discard' | 'again' | 'abort' | 'break'>(
        ...(['release', 'release', 'release', 'discard', 'again', 'abort', 'break'] as const),
      ),
      index,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ op: fc.constant('advance' as const), ms: fc.integer({ min: 0, max: 300 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constantFrom<'pause' | 'resume' | 'evict' | 'drain'>(
        'pause',
        'resume',
        'resume',
        'evict',
        'drain',
      ),
    }),
  },
);

/** Most programs keep returns and waiters from the native core, which few options forbid. */
const oftenNever = Array<number>(5).fill(Number.POSITIVE_INFINITY);

const program: fc.Arbitrary<Program> = fc.record({
  options: fc.record({
    max: fc.integer({ min: 1, max: 4 }),
    min: fc.integer({ min: 0, max: 1 }),
    maxQueue: fc.constantFrom(0, 3, ...oftenNever),
    acquireTimeout: fc.constantFrom(0, 20, 200, Number.POSITIVE_INFINITY),
    createTimeout: fc.constant(100),
    closeTimeout: fc.constant(100),
    validateTimeout: fc.constant(50),
    idleTimeout: fc.constantFrom(200, 10_000),
    maxLifetime: fc.constantFrom(400, 100_000),
    maxUses: fc.constantFrom(3, ...oftenNever),
    order: fc.constantFrom('lifo' as const, 'lifo' as const, 'fifo' as const),
    validateAfter: fc.constantFrom(0, 100),
    probeInterval: fc.constantFrom(150, 10_000),
    leakAfter: fc.constantFrom(120, ...oftenNever),
    backoff: fc.constant({ min: 10, max: 100 }),
    onOutage: fc.constantFrom('wait' as const, 'fail' as const),
    failureThreshold: fc.integer({ min: 1, max: 3 }),
  }),
  creates: fc.array(
    fc.constantFrom<Outcome>(...usual, ...usual, 'hang', 'throw', 'reject', 'nothing', 'twice'),
    { minLength: 1, maxLength: 20 },
  ),
  others: fc.array(fc.constantFrom<Outcome>(...usual, ...usual, 'hang', 'throw', 'reject', 'nothing'), {
    minLength: 1,
    maxLength: 20,
  }),
  parts: fc.record({ alive: fc.boolean(), validate: fc.boolean(), reset: fc.boolean() }),
  steps: fc.array(step, { maxLength: 60 }),
  end: fc.constantFrom(0, 50),
});

interface Thing {
  readonly n: number;
  alive: boolean;
  destroyed: number;
}

/** The server and its clients: what a program has brought about so far. */
class World {
  readonly things: Thing[] = [];
  readonly pool: ConnectionPool<Thing>;
  /** Acquires that have not settled. */
  readonly waiting: AbortController[] = [];
  readonly leases: Lease<Thing>[] = [];
  readonly ended: Lease<Thing>[] = [];
  readonly failures: Record<string, number> = {};
  acquired = 0;
  /** Acquires that were begun; the latest plain one of them that got a connection. */
  private begun = 0;
  private latest = 0;
  /** Leases whose connection is being reset. */
  resetting = 0;
  paused = false;
  private creates = 0;
  private others = 0;

  constructor(private readonly program: Program) {
    const { alive, validate, reset } = program.parts;
    const factory: ConnectionFactory<Thing> = {
      create: () => this.create(),
      destroy: (thing) => this.destroy(thing),
      ...(alive && { alive: (thing: Thing) => thing.alive }),
      ...(validate && { validate: (thing: Thing) => this.act(this.other(), () => thing.alive) }),
      ...(reset && { reset: () => this.act(this.other(), () => {}) }),
    };
    this.pool = new ConnectionPool(factory, program.options);
    this.pool.on('error', () => {});
  }

  private other(): Outcome {
    const { others } = this.program;
    return others[this.others++ % others.length]!;
  }

  private create(): Thing | Promise<Thing> {
    const { creates } = this.program;
    const outcome = creates[this.creates++ % creates.length]!;
    const last = this.things.at(-1);
    // What was destroyed may come again; what is pooled may not.
    if (outcome === 'twice' && last !== undefined && last.destroyed === 0) return last;
    return this.act(outcome, () => {
      const thing = { n: this.things.length, alive: true, destroyed: 0 };
      this.things.push(thing);
      return thing;
    }) as Thing | Promise<Thing>;
  }

  private destroy(thing: Thing): void | Promise<void> {
    thing.destroyed++;
    expect(thing.destroyed).toBe(1);
    expect(this.leases.filter((lease) => lease.active && lease.connection === thing)).toEqual([]);
    return this.act(this.other(), () => {}) as void | Promise<void>;
  }

  private act<R>(outcome: Outcome, result: () => R): R | Promise<R> {
    switch (outcome) {
      case 'soon':
        return Promise.resolve().then(result);
      case 'later':
        return new Promise((resolve) => setTimeout(() => resolve(result()), 30));
      case 'hang':
        return new Promise(() => {});
      case 'throw':
        throw new Error('thrown');
      case 'reject':
        return Promise.reject(new Error('rejected'));
      case 'nothing':
        return undefined as never;
      default:
        return result();
    }
  }

  /** Acquires with options, and a signal; without any it is a plain one. */
  acquire(options?: AcquireOptions): void {
    const controller = new AbortController();
    this.waiting.push(controller);
    const number = ++this.begun;
    const since = performance.now();
    let settled = 0;
    const over = () => {
      expect(++settled).toBe(1);
      this.waiting.splice(this.waiting.indexOf(controller), 1);
    };
    const wished = options && { ...options, signal: controller.signal };
    this.pool.acquire(wished).then(
      (lease) => {
        over();
        if (options === undefined) this.servedPlain(number);
        this.acquired++;
        this.leases.push(lease);
      },
      (error) => {
        over();
        const code = error.name === 'AbortError' ? 'aborted' : error.code;
        const { timeout = this.program.options.acquireTimeout! } = options ?? {};
        // Neither early nor late.
        if (code === 'ERR_KEELSON_TIMEOUT') {
          expect(performance.now() - since).toBeGreaterThanOrEqual(timeout);
          expect(performance.now() - since).toBeLessThanOrEqual(timeout + 1);
        }
        this.failures[code] = (this.failures[code] ?? 0) + 1;
      },
    );
  }

  /** Nobody overtakes, but who was given a broken connection and asks again. */
  private servedPlain(number: number): void {
    if (!this.program.parts.alive) expect(number).toBeGreaterThan(this.latest);
    this.latest = number;
  }

  release(lease: Lease<Thing>): void {
    const returned = lease.release();
    if (returned === undefined) return;
    this.resetting++;
    void returned.then(() => this.resetting--);
  }

  async run(step: Step): Promise<void> {
    switch (step.op) {
      case 'acquire':
        this.acquire({ timeout: step.timeout, priority: step.priority, affinity: step.affinity });
        break;
      case 'plain':
        this.acquire();
        break;
      case 'advance':
        await jest.advanceTimersByTimeAsync(step.ms);
        break;
      case 'abort':
        this.waiting[step.index % this.waiting.length]?.abort();
        break;
      case 'break':
        if (this.things.length > 0) this.things[step.index % this.things.length]!.alive = false;
        break;
      case 'again': {
        const lease = this.ended[step.index % this.ended.length];
        lease?.release();
        lease?.discard();
        break;
      }
      case 'release':
      case 'discard': {
        const [lease] = this.leases.splice(step.index % this.leases.length, 1);
        if (lease === undefined) break;
        this.ended.push(lease);
        if (step.op === 'release') this.release(lease);
        else lease.discard(new Error('discarded'));
        break;
      }
      case 'drain':
        void this.pool.drain();
        break;
      default:
        this.paused = step.op === 'pause' || (this.paused && step.op !== 'resume');
        this.pool[step.op]();
    }
    await settle();
    this.check();
  }

  check(): void {
    const stats = this.pool.getStats();
    const metrics = this.pool.metrics();
    const { max, maxQueue } = this.program.options;
    expect(stats.total).toBeLessThanOrEqual(max!);
    expect(stats.active).toBe(this.leases.length + this.resetting);
    expect(stats.waiting).toBe(this.waiting.length);
    expect(stats.waiting).toBeLessThanOrEqual(maxQueue! + max!);
    for (const lease of this.leases) {
      expect(lease.active).toBe(true);
      expect(lease.connection.destroyed).toBe(0);
    }
    expect(new Set(this.leases.map((lease) => lease.connection)).size).toBe(this.leases.length);
    expect(metrics.acquired).toBe(this.acquired);
    const { timeout, full, unavailable, draining, closed, aborted } = metrics.errors;
    expect({ timeout, full, unavailable: unavailable + draining, closed, aborted }).toEqual({
      timeout: this.failures.ERR_KEELSON_TIMEOUT ?? 0,
      full: this.failures.ERR_KEELSON_QUEUE_FULL ?? 0,
      unavailable: this.failures.ERR_KEELSON_POOL_UNAVAILABLE ?? 0,
      closed: this.failures.ERR_KEELSON_DESTROYED ?? 0,
      aborted: this.failures.aborted ?? 0,
    });
    const gone = Object.values(metrics.closed).reduce((sum, count) => sum + count);
    expect(metrics.opened - gone).toBe(stats.idle + stats.active);
    // Whoever waits does so for a connection that is on its way, or lent, or paused.
    const { idle, used } = metrics['db.client.connection.count'];
    if (this.program.parts.validate || this.paused) return;
    expect(stats.waiting > 0 && idle > 0 && used === 0).toBe(false);
  }

  /** Closes, and looks that nothing is left. */
  async finish(): Promise<void> {
    const closing = this.pool.close({ timeout: this.program.end });
    // Half of the leases come back in time.
    for (const [index, lease] of this.leases.entries()) if (index % 2 === 0) this.release(lease);
    await jest.advanceTimersByTimeAsync(1_000);
    await closing;
    expect(this.waiting).toEqual([]);
    expect(this.resetting).toBe(0);
    expect(this.pool.getStats()).toEqual({ total: 0, idle: 0, active: 0, waiting: 0, opening: 0 });
    for (const lease of [...this.leases, ...this.ended]) {
      expect(lease.active).toBe(false);
      this.release(lease);
      lease.discard();
    }
    expect(this.things.filter((thing) => thing.destroyed !== 1)).toEqual([]);
    expect(jest.getTimerCount()).toBe(0);
  }
}

afterEach(() => jest.useRealTimers());

test('whatever happens, nothing is lent twice, lost or left, and all is counted', async () => {
  await fc.assert(
    fc.asyncProperty(program, async (program) => {
      jest.useFakeTimers();
      const world = new World(program);
      for (const step of program.steps) await world.run(step);
      await world.finish();
      jest.useRealTimers();
    }),
    { numRuns: 300 },
  );
}, 300_000);
