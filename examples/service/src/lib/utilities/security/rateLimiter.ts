export type { RateLimitResult, TrustProxy } from 'keelson';
export { DistributedRateLimiter } from 'keelson';
