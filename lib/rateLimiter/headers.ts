import { createHash } from 'node:crypto';
import type { HttpSettings } from './httpOptions.js';
import type { LimitSettings } from './limits.js';
import type { RateLimitResult } from './result.js';

/** Bytes of a partition key that is a hash: too few to tell what was hashed, enough to tell keys apart. */
const PARTITION_BYTES = 9;

/** A string of a structured field: RFC 9651, section 4.1.6. */
const quoted = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`;

/**
 * What responses tell of limits: X-RateLimit-*, and the fields of draft-ietf-httpapi-ratelimit-headers-11. Those are
 * lists of structured fields (RFC 9651), where only the limit that restricts most has its state told.
 */
export class RateLimitHeaders {
  private readonly settings: HttpSettings;
  /** By the names of limits. */
  private readonly policies = new Map<string, { readonly name: string; readonly isTimed: boolean }>();
  /** One item a limit. */
  private readonly items: readonly string[];
  private readonly policyField: string;

  constructor(limits: readonly LimitSettings[], settings: HttpSettings) {
    this.settings = settings;
    for (const { name, algorithm } of limits) {
      this.policies.set(name, { name: quoted(name), isTimed: algorithm !== 'concurrency' });
    }
    this.items = limits.map((limit) => quoted(limit.name) + parametersOf(limit));
    this.policyField = this.items.join(', ');
  }

  /**
   * The parameter that tells whom a result is about, for {@link tell}; empty if none does.
   * @throws what the user's `partitionKey` throws
   */
  partition(key: string): string {
    const { draftHeaders, partitionKey } = this.settings;
    if (!draftHeaders || partitionKey === false) return '';
    const value =
      partitionKey === true
        ? createHash('sha256').update(key).digest().subarray(0, PARTITION_BYTES)
        : partitionKey(key);
    return `;pk=:${Buffer.from(value as string).toString('base64')}:`;
  }

  /** Sets what is to be told of a result. */
  tell(result: RateLimitResult, partition: string, set: (name: string, value: string) => void): void {
    const { legacyHeaders, draftHeaders } = this.settings;
    const { limit, remaining, resetTime, retryAfter } = result;
    if (legacyHeaders) {
      set('X-RateLimit-Limit', String(limit));
      set('X-RateLimit-Remaining', String(remaining));
      set('X-RateLimit-Reset', new Date(resetTime).toISOString());
    }
    if (draftHeaders) {
      set('RateLimit-Policy', this.policiesOf(partition));
      set('RateLimit', this.stateOf(result, partition));
    }
    if (retryAfter !== undefined && (legacyHeaders || draftHeaders)) set('Retry-After', String(retryAfter));
  }

  private policiesOf(partition: string): string {
    return partition === '' ? this.policyField : this.items.map((item) => item + partition).join(', ');
  }

  private stateOf(result: RateLimitResult, partition: string): string {
    const { name, isTimed } = this.policies.get(result.policy)!;
    const time = isTimed || !result.allowed ? `;t=${windowOf(result)}` : '';
    return `${name};r=${result.remaining}${time}${partition}`;
  }
}

/** The time in whole seconds, never too short: a client that believes it stays within the limit. */
function parametersOf({ quota, windowMs, algorithm }: LimitSettings): string {
  if (algorithm === 'concurrency') return `;q=${quota};qu="concurrent-requests"`;
  return `;q=${quota};w=${Math.ceil(windowMs / 1000)}`;
}

/** For how many seconds no more than the remaining units can be used. It does not outlast Retry-After. */
function windowOf({ retryAfter, resetTime }: RateLimitResult): number {
  return retryAfter ?? Math.max(0, Math.ceil((resetTime - Date.now()) / 1000));
}
