import { asyncDispose } from './dispose.js';
import type { RedisError, RedisFailure } from './errors.js';
import { ObservableEmitter } from './events.js';
import { observe } from './metrics/member.js';
import { readScaling } from './metrics/readers/operations.js';
import { PoolTime } from './pool/time.js';
import { Fleet, type FleetLoads } from './scaling/fleet.js';
import { handlerOf, type ScalingHandler } from './scaling/http.js';
import { Meter } from './scaling/meter.js';
import { type ScalingOptions, type ScalingSettings, settingsOf } from './scaling/options.js';
import { LIVES, type Plan, Planner } from './scaling/plan.js';
import { Series } from './scaling/series.js';

/** Whose load it is that is planned for: as Redis has it, or this process' own, times the members that the fleet had last. */
export type ScalingSource = 'fleet' | 'own';

/** How many replicas there should be, and why. */
export interface ScalingRecommendation extends Plan {
  /** Of one replica. */
  readonly capacity: number;
  /** When the latest interval that it goes by was over, in milliseconds since 1970. */
  readonly at: number;
  readonly source: ScalingSource;
}

/** Events of a scaling; each is also published as `keelson:scaling:<event>` on `node:diagnostics_channel`. */
export interface ScalingEvents extends Record<string, unknown> {
  /** Redis does not answer: the process goes by its own load. Told once an outage. */
  'redis-error': RedisError;
  /** Redis answers again, after so many milliseconds. */
  recovered: number;
}

/** What {@link Scaling.metrics} tells. */
export interface ScalingMetrics {
  /** As recommended; `undefined` while no load is known, as are the next three. */
  replicas: number | undefined;
  load: number | undefined;
  forecast: number | undefined;
  quantile: number | undefined;
  /** Of one replica. */
  capacity: number;
  isWarm: boolean;
  source: ScalingSource | undefined;
  /** Whether Redis answered last; `undefined` without `redis`. */
  connected: boolean | undefined;
  /** Processes of the fleet, as it was heard of last. */
  members: number;
  /** Calls of Redis without an answer, by cause. */
  redisErrors: Record<RedisFailure, number>;
  /** Times that the gauge threw, or gave no load. */
  gaugeErrors: number;
}

/** Shares of an interval: within the first all tell their loads, and at the second all hear what came of it. */
const [TOLD, HEARD] = [0.1, 0.2];

/**
 * Recommends how many replicas a service needs, by what its load will be once a new one is of use.
 *
 * Each interval all processes tell their loads through Redis and plan by the fleet's, each the same. The plan is the replicas that
 * the present load needs, or, with enough history, those for a quantile of the load that is forecast until the horizon; it goes
 * down only once all plans of the stabilization did.
 *
 * As long as it is not closed it has a timer, which holds no process.
 */
export class Scaling extends ObservableEmitter<ScalingEvents> {
  readonly #settings: ScalingSettings;
  readonly #time: PoolTime;
  readonly #meter: Meter;
  readonly #fleet: Fleet | undefined;
  /** What Redis has told, and the best that is known without it. */
  readonly #heard: { series: Series; planner: Planner };
  readonly #own: { series: Series; planner: Planner };
  /** When this process tells its load, from the beginning of an interval on. */
  readonly #phase: number;
  readonly #errors = { timeout: 0, connection: 0, permission: 0, server: 0, overloaded: 0, closed: 0 };
  /** What the fleet's clock is ahead of the process' own, which is monotonic. */
  #offset: number;
  /** The interval in which the load was told last. */
  #told: number;
  /** The latest interval that was heard of. */
  #latest = 0;
  #members = 1;
  #connected = false;
  #downSince: number | undefined;
  #recommendation: ScalingRecommendation | undefined;
  #isClosed = false;
  #exchange: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  /** @throws InvalidArgumentError for an option that is unknown, of the wrong type or out of range */
  constructor(options: ScalingOptions) {
    super('scaling');
    const settings = settingsOf(options);
    this.#settings = settings;
    this.#heard = planning(settings);
    this.#own = planning(settings);
    this.#time = new PoolTime(() => this.#turn());
    const now = this.#time.now();
    this.#offset = Date.now() - now;
    this.#meter = new Meter(now);
    this.#told = this.#interval(now);
    this.#phase = settings.interval * TOLD * Math.random();
    const { redis } = settings;
    this.#fleet = redis === undefined ? undefined : new Fleet(redis, settings, this.#heard.planner.reach);
    // A new process has the fleet's history to begin with.
    if (this.#fleet !== undefined) this.#time.arm(now, now);
    else this.#wait();
    observe(this, readScaling);
  }

  /** Its fleet's name. */
  get name(): string {
    return this.#settings.name;
  }

  /**
   * Counts requests, or units of whatever `capacity` is a second's worth of.
   *
   * @throws InvalidArgumentError
   */
  record(count = 1): void {
    this.#meter.count(count);
  }

  /**
   * From now on the load is what this tells, asked once an interval, instead of what is counted. Where it throws, or gives no load,
   * that interval's is not known.
   *
   * @throws InvalidArgumentError
   */
  gauge(load: () => number): void {
    this.#meter.ask(load);
  }

  /** As of the latest interval; undefined while no load is known, and after `close()`. */
  recommendation(): ScalingRecommendation | undefined {
    const found = this.#recommendation;
    if (found === undefined) return undefined;
    const age = this.#time.now() + this.#offset - found.at;
    return age <= LIVES * this.#settings.interval ? { ...found } : undefined;
  }

  /**
   * A listener for `http.createServer`, or a route's handler, that answers GET and HEAD with the recommendation as JSON, for KEDA's
   * metrics-api scaler, and with 503 while there is none.
   */
  handler(): ScalingHandler {
    return handlerOf(() => this.recommendation());
  }

  metrics(): ScalingMetrics {
    const { replicas, load, forecast, quantile, isWarm, source } = this.recommendation() ?? {};
    const connected = this.#settings.redis === undefined ? undefined : this.#connected;
    return {
      ...{ replicas, load, forecast, quantile, capacity: this.#settings.plan.capacity },
      ...{ isWarm: isWarm ?? false, source, connected, members: this.#members },
      ...{ redisErrors: { ...this.#errors }, gaugeErrors: this.#meter.failures },
    };
  }

  /** Leaves the fleet. What is recorded from then on does not matter. Calling it again gives the same promise. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** `close()` at the end of an `await using` block. */
  [asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#isClosed = true;
    this.#recommendation = undefined;
    this.#time.disarm();
    // Whoever is not told notices by the silence.
    if (this.#connected) {
      await this.#exchange;
      await this.#fleet?.leave().catch(() => {});
      this.#connected = false;
    }
    this.#fleet?.close();
  }

  /** The number of the interval at a time of the process' clock. */
  #interval(now: number): number {
    return Math.floor((now + this.#offset) / this.#settings.interval);
  }

  /** Measures the interval that is over, or hears what others have measured. */
  #turn(): void {
    const now = this.#time.now();
    const interval = this.#interval(now);
    // A clock that was set back has its intervals again.
    const load = interval === this.#told ? undefined : this.#measure(now, interval);
    if (this.#fleet === undefined) {
      this.#plan(interval);
      this.#wait();
      return;
    }
    this.#exchange = this.#fleet
      .exchange(load, this.#latest - LIVES)
      .then(
        (loads) => this.#hear(loads),
        (error) => this.#miss(error),
      )
      .then(() => {
        this.#exchange = undefined;
        if (!this.#isClosed) this.#wait();
      });
  }

  #measure(now: number, interval: number): number | undefined {
    this.#told = interval;
    const load = this.#meter.read(now);
    if (load !== undefined) this.#own.series.set(interval - 1, load * this.#members);
    return load;
  }

  #hear({ now, members, loads }: FleetLoads): void {
    if (this.#isClosed) return;
    const local = this.#time.now();
    this.#offset = now - local;
    this.#members = Math.max(1, members);
    this.#connected = true;
    const interval = this.#interval(local);
    // The clock was set back, or Redis is another one: what it has is heard anew.
    if (interval < this.#latest) {
      this.#heard.series.cut(interval);
      this.#own.series.cut(interval);
    }
    this.#latest = Math.min(this.#latest, interval);
    for (const [number, load] of loads) {
      this.#heard.series.set(number, load);
      this.#own.series.set(number, load);
      this.#latest = Math.max(this.#latest, number);
    }
    if (this.#downSince !== undefined) {
      const downMs = local - this.#downSince;
      this.#downSince = undefined;
      this.announce('recovered', downMs);
    }
    // Before all have told theirs, the sum is of the interval before.
    if (this.#share(local) >= HEARD) this.#plan(interval);
  }

  #miss(error: RedisError): void {
    if (this.#isClosed) return;
    this.#errors[error.failure]++;
    this.#connected = false;
    const now = this.#time.now();
    this.#plan(this.#interval(now));
    if (this.#downSince !== undefined) return;
    this.#downSince = now;
    this.announce('redis-error', error);
  }

  /** Plans by the fleet's loads, or, where Redis has none, by one's own. */
  #plan(interval: number): void {
    const heard = this.#connected ? this.#heard.planner.plan(this.#heard.series, interval) : undefined;
    const plan = heard ?? this.#own.planner.plan(this.#own.series, interval);
    const { interval: length, plan: settings } = this.#settings;
    const source = heard === undefined ? 'own' : 'fleet';
    this.#recommendation = plan && {
      ...plan,
      capacity: settings.capacity,
      at: interval * length,
      source,
    };
  }

  /** What is over of the present interval. */
  #share(now: number): number {
    const { interval } = this.#settings;
    return ((now + this.#offset) % interval) / interval;
  }

  /** Until others have told their loads, or, if that is over, until the own one is to be told. */
  #wait(): void {
    const { interval } = this.#settings;
    const now = this.#time.now();
    const passed = this.#share(now) * interval;
    const isToHear = this.#fleet !== undefined && passed < HEARD * interval;
    const isToTell = passed < this.#phase && this.#interval(now) !== this.#told;
    const due = isToTell ? this.#phase : isToHear ? HEARD * interval : interval + this.#phase;
    this.#time.arm(now + due - passed, now);
  }
}

function planning({ plan }: ScalingSettings): { series: Series; planner: Planner } {
  const planner = new Planner(plan);
  return { planner, series: new Series(planner.reach) };
}
