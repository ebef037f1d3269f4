/** Opens for longer than any run. */
const RESET = 24 * 3600 * 1000;

/**
 * Breakers round `action`, which judge by the share of failures in the latest 10 s; `timeout` in milliseconds, or false.
 * `fire(n)` calls the action by way of the breaker, `open()` opens it.
 */
export const breakers = {
  async keelson(action, timeout) {
    const { CircuitBreaker } = await import('keelson');
    const breaker = new CircuitBreaker(action, { timeout, resetTimeout: RESET });
    return { fire: (n) => breaker.fire(n), open: () => breaker.open() };
  },
  async opossum(action, timeout) {
    const { default: CircuitBreaker } = await import('opossum');
    const breaker = new CircuitBreaker(action, { timeout, resetTimeout: RESET });
    return { fire: (n) => breaker.fire(n), open: () => breaker.open() };
  },
  async cockatiel(action, timeout) {
    const cockatiel = await import('cockatiel');
    const breaker = cockatiel.circuitBreaker(cockatiel.handleAll, {
      halfOpenAfter: RESET,
      breaker: new cockatiel.SamplingBreaker({ threshold: 0.5, duration: 10_000 }),
    });
    const policy =
      timeout === false
        ? breaker
        : cockatiel.wrap(breaker, cockatiel.timeout(timeout, cockatiel.TimeoutStrategy.Aggressive));
    return { fire: (n) => policy.execute(() => action(n)), open: () => breaker.isolate() };
  },
};
