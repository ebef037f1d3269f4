import type { RateLimit, RateLimitAlgorithm } from 'keelson';

// The plainest limits that can be: whole milliseconds, and what has to be found out by trying is found out by trying.

/** One limit of one key. */
interface Model {
  readonly capacity: number;
  used(now: number): number;
  take(now: number, units: number): void;
  /** Gives back what was counted last. */
  give(now: number, units: number): void;
  /** From when on nothing counts. */
  ends(): number;
}

function slidingWindow({ windowMs, maxRequests }: RateLimit): Model {
  let log: number[] = [];
  const live = (now: number) => log.filter((time) => time > now - windowMs);
  return {
    capacity: maxRequests,
    used: (now) => live(now).length,
    take: (now, units) => {
      log = [...live(now), ...Array<number>(units).fill(now)];
    },
    give: (now, units) => {
      log = live(now).slice(0, Math.max(0, live(now).length - units));
    },
    ends: () => (log.length === 0 ? 0 : log.at(-1)! + windowMs),
  };
}

function fixedWindow({ windowMs, maxRequests }: RateLimit): Model {
  let start = 0;
  let units = 0;
  const isOver = (now: number) => now >= start + windowMs;
  return {
    capacity: maxRequests,
    used: (now) => (isOver(now) ? 0 : units),
    take: (now, more) => {
      if (units === 0 || isOver(now)) [start, units] = [now, 0];
      units += more;
    },
    give: (now, less) => {
      if (!isOver(now)) units = Math.max(0, units - less);
    },
    ends: () => (units === 0 ? 0 : start + windowMs),
  };
}

/** Counts by the number of an aligned window. */
function slidingWindowCounter({ windowMs, maxRequests }: RateLimit): Model {
  const counts = new Map<number, number>();
  const of = (index: number) => counts.get(index) ?? 0;
  return {
    capacity: maxRequests,
    used: (now) => {
      const index = Math.floor(now / windowMs);
      const left = (index + 1) * windowMs - now;
      return of(index) + Math.ceil((of(index - 1) * left) / windowMs);
    },
    take: (now, units) => {
      const index = Math.floor(now / windowMs);
      counts.set(index, of(index) + units);
    },
    give: (now, units) => {
      const index = Math.floor(now / windowMs);
      const newest = Math.min(units, of(index));
      counts.set(index, of(index) - newest);
      counts.set(index - 1, Math.max(0, of(index - 1) - (units - newest)));
    },
    ends: () => {
      const [latest] = [...counts]
        .filter(([, units]) => units > 0)
        .map(([index]) => index)
        .sort((a, b) => b - a);
      return latest === undefined ? 0 : (latest + 2) * windowMs;
    },
  };
}

/** What is missing in the bucket, in parts of a unit: a unit has `windowMs`, and `maxRequests` flow in each millisecond. */
function bucket({ windowMs, maxRequests, burst = maxRequests }: RateLimit): Model {
  let missing = 0;
  let at = 0;
  const then = (now: number) => Math.max(0, missing - (now - at) * maxRequests);
  const set = (now: number, parts: number) => {
    [missing, at] = [Math.max(0, parts), now];
  };
  return {
    capacity: burst,
    used: (now) => Math.ceil(then(now) / windowMs),
    take: (now, units) => set(now, then(now) + units * windowMs),
    give: (now, units) => set(now, then(now) - units * windowMs),
    ends: () => (missing === 0 ? 0 : at + Math.ceil(missing / maxRequests)),
  };
}

const MODELS: Record<Exclude<RateLimitAlgorithm, 'concurrency'>, (limit: RateLimit) => Model> = {
  'sliding-window': slidingWindow,
  'sliding-window-counter': slidingWindowCounter,
  'fixed-window': fixedWindow,
  'token-bucket': bucket,
  gcra: bucket,
};

/** What a limiter is to tell. */
export interface Expected {
  allowed: boolean;
  limit: number;
  remaining: number;
  resetTime: number;
  retryAfterMs: number;
  retryAfter?: number;
}

/** All limits of one key. */
export class ModelKey {
  private readonly models: Model[];
  private blocked = 0;

  constructor(
    limits: readonly RateLimit[],
    private readonly blockDuration = 0,
  ) {
    this.models = limits.map((limit) => MODELS[limit.algorithm as keyof typeof MODELS](limit));
  }

  /** Milliseconds until a limit admits so many units; 0: it does. */
  private wait(model: Model, now: number, cost: number): number {
    const fits = (ms: number) => model.capacity - model.used(now + ms) >= cost;
    if (fits(0)) return 0;
    let [low, high] = [0, 1];
    while (!fits(high)) [low, high] = [high, 2 * high];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (fits(middle)) high = middle;
      else low = middle;
    }
    return high;
  }

  check(now: number, cost: number): Expected[] {
    const waits = this.models.map((model) => this.wait(model, now, cost));
    const isAllowed = this.blocked <= now && waits.every((ms) => ms === 0);
    if (isAllowed) for (const model of this.models) model.take(now, cost);
    else if (this.blockDuration > 0 && this.blocked <= now) this.blocked = now + this.blockDuration;
    return this.tell(now, isAllowed, waits);
  }

  peek(now: number, cost: number): Expected[] {
    const waits = this.models.map((model) => this.wait(model, now, cost));
    return this.tell(now, this.blocked <= now && waits.every((ms) => ms === 0), waits);
  }

  penalty(now: number, units: number): void {
    for (const model of this.models) {
      model.take(now, Math.min(units, Math.max(0, 2 * model.capacity - model.used(now))));
    }
  }

  reward(now: number, units: number): void {
    for (const model of this.models) model.give(now, units);
  }

  block(now: number, ms: number): void {
    this.blocked = ms === 0 ? 0 : now + ms;
  }

  /**
   * By the limit that denies for longest, or else has least left. Which one is longest to a microsecond is not known
   * here: all that are to a millisecond may be told.
   */
  private tell(now: number, allowed: boolean, waits: number[]): Expected[] {
    const left = this.models.map((model) => model.capacity - model.used(now));
    const longest = Math.max(...waits);
    const retryAfterMs = allowed ? 0 : Math.max(longest, this.blocked - now);
    const tellBy = (index: number): Expected => ({
      allowed,
      limit: this.models[index]!.capacity,
      remaining: this.blocked > now ? 0 : Math.max(0, left[index]!),
      resetTime: Math.max(now, this.models[index]!.ends(), this.blocked),
      retryAfterMs,
      ...(!allowed && { retryAfter: Math.ceil(retryAfterMs / 1000) }),
    });
    if (longest === 0) return [tellBy(left.indexOf(Math.min(...left)))];
    return waits.flatMap((wait, index) => (wait === longest ? [tellBy(index)] : []));
  }
}
