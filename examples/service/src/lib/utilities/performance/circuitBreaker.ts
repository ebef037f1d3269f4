export type { CallContext } from 'keelson';
export { BreakerOpenError, CircuitBreaker, TimeoutError } from 'keelson';
