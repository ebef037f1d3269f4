import { callable, integer, invalid, number, string } from '../validate.js';
import { methodsOf } from './methods.js';
import { middlewareList } from './middleware.js';
import { Route } from './route.js';
import type { RouteHandler } from './types.js';

const KNOWN: readonly string[] = [
  'id',
  'method',
  'handler',
  'middleware',
  'weight',
  'timeout',
  'retries',
  'constraints',
] satisfies (keyof RouteHandler)[];

const LONGEST_TIMEOUT = 2 ** 31 - 1;
const MOST_RETRIES = 100;
const HEAVIEST = 1_000_000;

/** Members that a warning was given for, once a process. */
const warned = new Set<string>();

/** A weight: 0 gets nothing while others have any. */
export function weightOf(weight: unknown): number {
  return number('weight', weight, 0, HEAVIEST);
}

/**
 * Checks a route before anything is done with it; its path and constraints are checked by the trie. A member that
 * is null counts as left out.
 *
 * @throws InvalidArgumentError
 */
export function checkedRoute(path: unknown, given: unknown): Route {
  if (typeof given !== 'object' || given === null) invalid('handler', 'an object', given);
  const definition = given as RouteHandler;
  string('id', definition.id);
  callable('handler', definition.handler);
  const route = new Route(string('path', path), definition, {
    methods: methodsOf(definition.method),
    middleware: middlewareList('middleware', definition.middleware ?? []),
    weight: weightOf(definition.weight ?? 1),
    timeout: number('timeout', definition.timeout ?? 0, 0, LONGEST_TIMEOUT),
    retries: integer('retries', definition.retries ?? 0, 0, MOST_RETRIES),
  });
  for (const name of Object.keys(definition)) if (!KNOWN.includes(name)) warnOf(name);
  return route;
}

function warnOf(name: string): void {
  if (warned.has(name)) return;
  warned.add(name);
  process.emitWarning(`keelson router: a route has no member "${name}"; it is ignored`, 'KeelsonWarning');
}
