import { segmentsOf } from './pattern.js';
import type { Live } from './table.js';
import type { RouteHandler, TrieNode } from './types.js';

/** Draws routes as a tree of segments, each line with the methods and ids of what ends there. */
export function drawTree(routes: Iterable<Live<RouteHandler>>): string {
  const root: TrieNode = { segment: '', handlers: new Map(), children: new Map() };
  for (const route of routes) plant(root, route);
  // Without a route of its own, the root is only where the others hang.
  return [lineOf('/', root), ...branches(root, '')].join('\n');
}

function plant(root: TrieNode, { entry: { registration }, method }: Live<RouteHandler>): void {
  let node = root;
  for (const segment of segmentsOf(registration.path)) {
    let child = node.children.get(segment);
    if (child === undefined) {
      child = { segment, handlers: new Map(), children: new Map() };
      node.children.set(segment, child);
    }
    node = child;
  }
  const { host, version } = registration.value.constraints ?? {};
  const key = [method, host, version].filter((part) => part !== undefined).join(' ');
  node.handlers.set(key, registration.value);
}

function lineOf(label: string, { handlers }: TrieNode): string {
  const ends = [...handlers].map(([method, { id }]) => `${method} ${id}`);
  return ends.length === 0 ? label : `${label} (${ends.join(', ')})`;
}

function branches({ children }: TrieNode, indent: string): string[] {
  return [...children.values()].flatMap((child, at) => {
    const isLast = at === children.size - 1;
    const line = `${indent}${isLast ? '└── ' : '├── '}${lineOf(child.segment === '' ? '/' : child.segment, child)}`;
    return [line, ...branches(child, `${indent}${isLast ? '    ' : '│   '}`)];
  });
}
