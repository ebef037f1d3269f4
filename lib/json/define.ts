/**
 * Makes `value` the member `key`, as JSON.parse does: always an own property. An assignment would call a setter
 * that is inherited, such as that of `__proto__`, and fail where Object.prototype is frozen.
 */
export function define(target: object, key: string, value: unknown): void {
  if (key in Object.prototype) {
    Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
  } else {
    (target as Record<string, unknown>)[key] = value;
  }
}
