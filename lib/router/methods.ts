import { InvalidArgumentError } from '../errors.js';
import { invalid } from '../validate.js';

/** A token of RFC 9110, section 5.6.2; `*`, which is one, stands for every method. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

/** The lists of single methods are shared: most routes have one. */
const SINGLE = new Map(
  ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', '*'].map((method) => [method, [method]]),
);

/** The methods of a route, in upper case, each one once. @throws InvalidArgumentError */
export function methodsOf(method: unknown): readonly string[] {
  if (!Array.isArray(method)) return SINGLE.get(method as string) ?? [oneMethod(method)];
  if (method.length === 0)
    throw new InvalidArgumentError('"method" must name at least one method, but the list is empty');
  return [...new Set(method.map(oneMethod))];
}

/** A method in upper case. @throws InvalidArgumentError */
export function oneMethod(method: unknown): string {
  if (typeof method !== 'string' || !isToken(method)) {
    invalid('method', "an HTTP method such as 'GET', a list of them, or '*' for all", method);
  }
  return method.toUpperCase();
}
