import { refusal } from '../redis/link.js';

/** @throws RedisError */
export function strange(): never {
  throw refusal('server', 'Redis answered a script of the tiered cache with something else than that gives');
}
