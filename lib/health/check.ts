import { TimeoutError } from '../errors.js';
import type { Finding, HealthDetail, HealthStatus } from './document.js';
import type { CheckSettings, HealthResult } from './options.js';

/** Calls of a check that did not end in time and are still under way; with so many of them no other one is begun. */
const MOST_LATE = 3;
const STATUSES: readonly unknown[] = ['pass', 'warn', 'fail'];

/** How checks went, of all of them. */
export interface HealthCounts {
  /** Calls of checks. */
  runs: number;
  /** Results that were used again, or that somebody else was waiting for already. */
  shared: number;
  /** Results that were 'fail', but for what took too long. */
  failures: number;
  timeouts: number;
}

/** A check: one call at a time, whose result is used for a while. */
export class Check {
  readonly #key: string;
  readonly #settings: CheckSettings;
  readonly #counts: HealthCounts;
  #latest: Finding | undefined;
  #expires = 0;
  #flight: Promise<Finding> | undefined;
  #late = 0;

  constructor(key: string, settings: CheckSettings, counts: HealthCounts) {
    this.#key = key;
    this.#settings = settings;
    this.#counts = counts;
  }

  get kind(): CheckSettings['kind'] {
    return this.#settings.kind;
  }

  /** Never rejects. */
  run(): Promise<Finding> {
    if (this.#flight !== undefined || (this.#latest !== undefined && performance.now() < this.#expires)) {
      this.#counts.shared++;
      return this.#flight ?? Promise.resolve(this.#latest!);
    }
    this.#flight = this.#find().then((finding) => {
      this.#flight = undefined;
      this.#latest = finding;
      this.#expires = performance.now() + this.#settings.cache;
      return finding;
    });
    return this.#flight;
  }

  async #find(): Promise<Finding> {
    const began = performance.now();
    const time = new Date().toISOString();
    let result: HealthResult;
    try {
      result = { status: 'pass', ...(await this.#call()) };
      if (!STATUSES.includes(result.status))
        throw new Error(`The check gave the status ${String(result.status)}`);
      if (result.status === 'fail') this.#counts.failures++;
    } catch (error) {
      if (error instanceof TimeoutError) this.#counts.timeouts++;
      else this.#counts.failures++;
      result = { status: 'fail', output: messageOf(error) };
    }
    const observed =
      result.observedValue === undefined
        ? { observedValue: Math.round(performance.now() - began), observedUnit: 'ms' }
        : result;
    return this.#finding(time, result.status!, { ...result, ...observed });
  }

  #finding(
    time: string,
    status: HealthStatus,
    { observedValue, observedUnit, output }: HealthResult,
  ): Finding {
    const { componentType, affectedEndpoints, isCritical } = this.#settings;
    const detail: HealthDetail = {
      ...(componentType !== undefined && { componentType }),
      observedValue,
      ...(observedUnit !== undefined && { observedUnit }),
      status,
      time,
      ...(status !== 'pass' && output !== undefined && { output }),
      ...(status !== 'pass' && affectedEndpoints.length > 0 && { affectedEndpoints: [...affectedEndpoints] }),
    };
    return { key: this.#key, detail, isCritical };
  }

  /** @throws what the check throws; TimeoutError */
  #call(): Promise<HealthResult | undefined> {
    const { check, timeout } = this.#settings;
    if (this.#late >= MOST_LATE) {
      const error = new Error(
        `${this.#late} calls that had to end have not: the check should heed its signal`,
      );
      return Promise.reject(error);
    }
    this.#counts.runs++;
    const controller = new AbortController();
    return new Promise((resolve, reject) => {
      let isLate = false;
      const timer = setTimeout(() => {
        isLate = true;
        this.#late++;
        const error = new TimeoutError('The check', timeout);
        reject(error);
        controller.abort(error);
      }, timeout);
      const end = (): void => {
        clearTimeout(timer);
        if (isLate) this.#late--;
      };
      const call = async (): Promise<HealthResult | undefined> =>
        (await check(controller.signal)) || undefined;
      call().then(resolve, reject).finally(end);
    });
  }
}

function messageOf(error: unknown): string {
  try {
    return error instanceof Error ? error.message : String(error);
  } catch {
    return 'something that has no text';
  }
}
