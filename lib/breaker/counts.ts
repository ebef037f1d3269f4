/** What a breaker counts from its beginning on. */
export class Counts {
  fires = 0;
  successes = 0;
  /** Timeouts included, but for those of calls that still waited for room. */
  failures = 0;
  timeouts = 0;
  ignored = 0;
  /** Calls that were not let through. */
  rejects = 0;
  /** Calls that found no room. */
  semaphoreRejections = 0;
  fallbacks = 0;
  retries = 0;
  /** How often it opened. */
  opened = 0;
}
