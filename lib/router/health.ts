/** When a group takes a handler out of service. */
export interface OutlierOptions {
  /** Failures in a row, from 1, after which a handler is ejected. @default 5 */
  failures?: number;
  /**
   * Milliseconds, above 0, that the first ejection lasts. Each failed probe doubles it, up to 32 times this.
   * @default 30000
   */
  ejectFor?: number;
  /**
   * The share of a group's handlers, 0 to 100, that may be out of service at once, of those that have a weight. With
   * the default a handler that is alone is never ejected. @default 50
   */
  maxEjectedPercent?: number;
}

/** Outlier options that passed their checks. */
export type OutlierSettings = Readonly<Required<OutlierOptions>>;

/** Ejections grow up to this many times the first. */
export const LONGEST_EJECTION = 32;

/** How an attempt ended, as far as its handler's health goes. */
export type Verdict = 'success' | 'failure' | 'unknown';

/** What a verdict led to. */
export type Change = 'none' | 'ejected' | 'restored';

/** What an attempt was begun as, for its verdict to count rightly. */
export interface Admission {
  readonly spell: number;
  readonly probe: boolean;
}

/**
 * Whether a handler is fit to serve. In service it counts failures in a row. Ejected it gets nothing until its time
 * is over; then one probe at a time, which restores it or ejects it for longer. A probe of which nothing is heard
 * for as long as the ejection took makes room for another one.
 */
export class Health {
  /** Failures in a row while in service. */
  failures = 0;
  /** Milliseconds of the present ejection; 0 in service. */
  ejectedFor = 0;
  readonly #settings: OutlierSettings;
  #until = 0;
  #probeUntil = Number.NEGATIVE_INFINITY;
  /** Grows with each ejection and restoration: attempts from before it say nothing about the time after it. */
  #spell = 0;

  constructor(settings: OutlierSettings) {
    this.#settings = settings;
  }

  get ejected(): boolean {
    return this.ejectedFor > 0;
  }

  /** Whether it may be chosen: in service, or due for a probe. */
  isAvailable(now: number): boolean {
    return this.ejectedFor === 0 || (now >= this.#until && now >= this.#probeUntil);
  }

  /** It was chosen, be it because no other is any better. */
  admit(now: number): Admission {
    const probe = this.ejected && this.isAvailable(now);
    if (probe) this.#probeUntil = now + this.ejectedFor;
    return { spell: this.#spell, probe };
  }

  /** Takes a verdict. `mayEject` says whether the group can do without it. */
  judge({ spell, probe }: Admission, verdict: Verdict, now: number, mayEject: () => boolean): Change {
    if (spell !== this.#spell) return 'none';
    if (verdict === 'unknown') {
      if (probe) this.#probeUntil = Number.NEGATIVE_INFINITY;
      return 'none';
    }
    if (verdict === 'success') return this.#succeeded();
    if (this.ejected) return probe ? this.#eject(this.ejectedFor * 2, now) : 'none';
    this.failures++;
    if (this.failures < this.#settings.failures || !mayEject()) return 'none';
    return this.#eject(this.#settings.ejectFor, now);
  }

  #succeeded(): Change {
    this.failures = 0;
    if (!this.ejected) return 'none';
    this.ejectedFor = 0;
    this.#spell++;
    return 'restored';
  }

  #eject(span: number, now: number): Change {
    this.ejectedFor = Math.min(span, this.#settings.ejectFor * LONGEST_EJECTION);
    this.#until = now + this.ejectedFor;
    this.#probeUntil = Number.NEGATIVE_INFINITY;
    this.#spell++;
    return 'ejected';
  }
}
