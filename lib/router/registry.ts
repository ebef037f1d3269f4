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
    const made: Group[] = [];
    const groups: Group[] = [];
    try {
      for (const method of route.methods)
        groups.push(this.#find(route, method) ?? this.#make(route, method, made));
      for (const group of groups) group.add(route);
    } catch (error) {
      for (const group of groups) group.remove(route);
      for (const group of made) this.#drop(group);
      throw error;
    }
    this.#routes.set(route, groups);
    if (route.definition.constraints !== undefined) this.constrained++;
    const key = this.#key(route.path);
    this.#byPath.set(key, (this.#byPath.get(key) ?? new Set()).add(route));
  }

  /** Removes the routes of a path, or those of one id; whether there was one. */
  remove(path: string, id?: string): boolean {
    const found = this.#at(path, id);
    for (const route of found) {
      for (const group of this.#routes.get(route)!) if (!group.remove(route)) this.#drop(group);
      this.#routes.delete(route);
      this.#byPath.get(this.#key(path))!.delete(route);
      if (route.definition.constraints !== undefined) this.constrained--;
    }
    if (this.#byPath.get(this.#key(path))?.size === 0) this.#byPath.delete(this.#key(path));
    return found.length > 0;
  }

  /** Gives the routes of a path and id another weight; whether there was one. */
  setWeight(path: string, id: string, weight: unknown): boolean {
    const checked = weightOf(weight);
    const found = this.#at(path, id);
    for (const route of found) {
      const before = route.weight;
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

  #find(route: Route, method: string): Group | undefined {
    const place = this.trie.get(route.path, method, route.definition.constraints) as Place | undefined;
    return place?.method === method ? place[GROUP] : undefined;
  }

  #make(route: Route, method: string, made: Group[]): Group {
    const group = new Group(route.path, method, route, this.#settings);
    this.trie.insert(route.path, group.place);
    this.groups.add(group);
    made.push(group);
    return group;
  }

  #drop(group: Group): void {
    this.trie.remove(group.path, group.method, group.place.constraints);
    this.groups.delete(group);
  }

  #at(path: string, id: string | undefined): Route[] {
    const routes = [...(this.#byPath.get(this.#key(path)) ?? [])];
    return id === undefined ? routes : routes.filter((route) => route.definition.id === id);
  }

  /** Patterns that differ in slashes alone are the same, where slashes do not matter. */
  #key(path: string): string {
    const { ignoreTrailingSlash = true, ignoreDuplicateSlashes = true } = this.#settings.trie;
    if (!ignoreTrailingSlash || !ignoreDuplicateSlashes) return path.startsWith('/') ? path : `/${path}`;
    return `/${path.split('/').filter(Boolean).join('/')}`;
  }
}
