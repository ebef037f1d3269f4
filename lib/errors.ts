// All errors that keelson makes, by what makes them.
export * from './errors/base.js';
export * from './errors/cache.js';
export * from './errors/common.js';
export * from './errors/configuration.js';
export * from './errors/json.js';
export * from './errors/lifecycle.js';
export * from './errors/limits.js';
export * from './errors/log.js';
export * from './errors/pool.js';
export * from './errors/redis.js';
export * from './errors/router.js';
