export type { CacheItem } from 'keelson';
export { BoundedLRUCache, CircularBuffer } from 'keelson';
