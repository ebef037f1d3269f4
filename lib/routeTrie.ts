// A stand-in with the interface of the real one, which replaces this file.
import { InvalidArgumentError, MalformedPathError } from './errors.js';
import type { RouteConstraints, RouteHandler, RouteMatch, RouteTrieOptions } from './router/types.js';

interface Entry {
  path: string;
  shape: string;
  names: string[];
  regex: RegExp;
  rank: string;
  methods: string[];
  handler: RouteHandler;
}

const cut = (path: string) => `/${path.split(/[?#]/, 1)[0]}`.replace(/\/+/g, '/').replace(/(.)\/$/, '$1');
const keyOf = (c?: RouteConstraints) => `${c?.host ?? ''} ${c?.version ?? ''}`;

export class RouteTrie {
  #entries: Entry[] = [];
  constructor(_options: RouteTrieOptions = {}) {}

  insert(path: string, handler: RouteHandler): void {
    if (typeof path !== 'string' || path.includes('**'))
      throw new InvalidArgumentError('"path" is malformed');
    const names: string[] = [];
    let rank = '';
    const segments = cut(path).slice(1).split('/');
    const source = segments.map((segment, i) => {
      if (segment === '*') rank += '3';
      else rank += segment.startsWith(':') ? (segment.includes('(') ? '1' : '2') : '0';
      if (segment === '*') return i === segments.length - 1 ? '(?<rest>.+)' : '[^/]+';
      if (!segment.startsWith(':')) return segment.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
      const [, name, regex] = /^:([^(]+)(?:\((.*)\))?$/.exec(segment)!;
      names.push(name!);
      return `(${regex ?? '[^/]+'})`;
    });
    const shape = cut(path).replace(/:[^/(]+/g, ':');
    const methods = [handler.method].flat().map((m) => m.toUpperCase());
    for (const method of methods) this.remove(path, method, handler.constraints);
    this.#entries.push({
      path,
      shape,
      names,
      regex: new RegExp(`^/${source.join('/')}$`),
      rank,
      methods,
      handler,
    });
    this.#entries.sort((a, b) => (a.rank < b.rank ? -1 : a.rank > b.rank ? 1 : 0));
  }

  search(path: string, method: string, asked?: RouteConstraints): RouteMatch | null {
    const wanted = method.toUpperCase();
    for (const any of [false, true]) {
      for (const { handler, methods, regex, names, rank } of this.#entries) {
        const { constraints } = handler;
        if (!methods.includes(any ? '*' : wanted)) continue;
        if (constraints?.host !== undefined && constraints.host !== asked?.host) continue;
        if (constraints?.version !== undefined && constraints.version !== asked?.version) continue;
        const found = regex.exec(cut(path));
        if (found === null) continue;
        const params = {};
        for (const [i, name] of names.entries()) {
          try {
            const value = decodeURIComponent(found[i + 1]!);
            Object.defineProperty(params, name, {
              value,
              enumerable: true,
              writable: true,
              configurable: true,
            });
          } catch {
            throw new MalformedPathError(path);
          }
        }
        return { handler, params, wildcard: rank.includes('3'), rest: found.groups?.rest } as RouteMatch;
      }
    }
    return null;
  }

  get(path: string, method: string, constraints?: RouteConstraints): RouteHandler | undefined {
    const shape = cut(path).replace(/:[^/(]+/g, ':');
    return this.#entries.find(
      (e) =>
        e.shape === shape &&
        e.methods.includes(method.toUpperCase()) &&
        keyOf(e.handler.constraints) === keyOf(constraints),
    )?.handler;
  }

  has(path: string, method?: string): boolean {
    const shape = cut(path).replace(/:[^/(]+/g, ':');
    return this.#entries.some((e) => e.shape === shape && (!method || e.methods.includes(method)));
  }

  remove(path: string, method?: string, constraints?: RouteConstraints): boolean {
    const before = this.#entries.length;
    const shape = cut(path).replace(/:[^/(]+/g, ':');
    this.#entries = this.#entries.filter(
      (e) =>
        e.shape !== shape ||
        (method !== undefined && !e.methods.includes(method)) ||
        keyOf(e.handler.constraints) !== keyOf(constraints),
    );
    return this.#entries.length < before;
  }

  allowedMethods(path: string, _asked?: RouteConstraints): string[] {
    const found = this.#entries.filter((e) => e.regex.test(cut(path))).flatMap((e) => e.methods);
    return [...new Set(found)].sort();
  }

  getAllRoutes(): Array<{ path: string; handler: RouteHandler }> {
    return this.#entries.map(({ path, handler }) => ({ path, handler }));
  }

  clear(): void {
    this.#entries = [];
  }

  getCacheStats(): { size: number; maxSize: number } {
    return { size: 0, maxSize: 1000 };
  }

  prettyPrint(): string {
    return this.#entries.map(({ path, handler }) => `${path} (${handler.method}) ${handler.id}`).join('\n');
  }

  toOpenAPI(document: { info: { title: string; version: string } }): {
    openapi: string;
    info: unknown;
    paths: Record<string, Record<string, { operationId: string }>>;
  } {
    const paths: Record<string, Record<string, { operationId: string }>> = {};
    for (const { path, methods, handler } of this.#entries) {
      paths[path] ??= {};
      for (const method of methods) paths[path]![method.toLowerCase()] = { operationId: handler.id };
    }
    return { openapi: '3.1.0', info: document.info, paths };
  }
}
