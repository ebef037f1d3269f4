import { RouteTrie } from '../routeTrie.js';
import { checkedRoute, weightOf } from './definition.js';
import { GROUP, Group, type Place } from './group.js';
import type { RouterSettings } from './options.js';
import type { Route, RouteMetrics } from './route.js';
import type { RouteHandler } from './types.js';

/** The routes of a router and the groups that they form. */
export class Registry {
  readonly trie: RouteTrie;
  readonly groups = new Set<Group>();
  /** Routes with constraints: without any, requests need not tell theirs. */
  constrained = 0;
  readonly #settings: RouterSettings;
  readonly #routes = new Map<Route, Group[]>();
  readonly #byPath = new Map<string, Set<Route>>();

  constructor(settings: RouterSettings) {
    this.#settings = settings;
    this.trie = new RouteTrie(settings.trie);
  }

  get size(): number {
    return this.#routes.size;
  }

  /** Adds a route, for all of its methods or, if anything is wrong with it, for none. */
  add(path: unknown, definition: unknown): void {
    const route = checkedRoute(path, definition);
    const variants = this.trie.expand(route.path);
    const groups: Group[] = [];
    try {
      for (const text of variants) {
        for (const method of route.methods) groups.push(this.#join(route, text, method));
      }
    } catch (error) {
      for (const group of groups) this.#leave(route, group);
      throw error;
    }
    this.#routes.set(route, groups);
    if (isConstrained(groups)) this.constrained++;
    const key = variants.join(' ');
    this.#byPath.set(key, (this.#byPath.get(key) ?? new Set()).add(route));
  }

  /** Removes the routes of a path, or those of one id; whether there was one. */
  remove(path: string, id?: string): boolean {
    const key = this.#key(path);
    const found = this.#at(key, id);
    for (const route of found) {
      const groups = this.#routes.get(route)!;
      for (const group of groups) this.#leave(route, group);
      this.#routes.delete(route);
      this.#byPath.get(key)!.delete(route);
      if (isConstrained(groups)) this.constrained--;
    }
    if (this.#byPath.get(key)?.size === 0) this.#byPath.delete(key);
    return found.length > 0;
  }

  /** Gives the routes of a path and id another weight; whether there was one. */
  setWeight(path: string, id: string, weight: unknown): boolean {
    const checked = weightOf(weight);
    const found = this.#at(this.#key(path), id);
    for (const route of found) {
      const before = route.weight;
      if (before === checked) continue;
      route.weight = checked;
      for (const group of this.#routes.get(route)!) group.reweigh(route, before);
    }
    return found.length > 0;
  }

  all(): Array<{ path: string; handler: RouteHandler }> {
    return [...this.#routes.keys()].map(({ path, definition }) => ({ path, handler: definition }));
  }

  metrics(): RouteMetrics[] {
    return [...this.#routes].map(([route, groups]) => {
      const members = groups.flatMap((group) => group.members.filter((member) => member.route === route));
      return route.metrics(members.some((member) => member.health?.ejected === true));
    });
  }

  /** Makes a route one of the handlers of a place, of which `text` is the pattern. */
  #join(route: Route, text: string, method: string): Group {
    const constraints = route.definition.constraints ?? {};
    const place = this.trie.get(text, method, constraints) as Place | undefined;
    const group = place?.[GROUP] ?? new Group(text, method, route, this.#settings);
    // Two forms of one pattern can be the same place: `/:year?/:month?`.
    if (!group.has(route)) group.add(route, text);
    if (place === undefined) {
      this.trie.insert(text, group.place);
      this.groups.add(group);
    }
    return group;
  }

  #leave(route: Route, group: Group): void {
    if (group.remove(route)) return;
    // Without constraints given the trie would remove those of any.
    this.trie.remove(group.path, group.method, group.place.constraints ?? {});
    this.groups.delete(group);
  }

  #at(key: string, id: string | undefined): Route[] {
    const routes = [...(this.#byPath.get(key) ?? [])];
    return id === undefined ? routes : routes.filter((route) => route.definition.id === id);
  }

  /** The same for patterns that the trie takes for the same text. */
  #key(path: string): string {
    return this.trie.expand(path).join(' ');
  }
}

/** By what the groups have: the service's own object may have been changed since. */
function isConstrained([group]: readonly Group[]): boolean {
  return group!.place.constraints !== undefined;
}
