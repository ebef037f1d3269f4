import { HeapGraph } from '../dist/cli/doctor/snapshot';

const EDGE_TYPES = ['context', 'element', 'property', 'internal', 'hidden', 'shortcut', 'weak'];

type Reference = readonly [from: number, type: string, name: string | number, to: number];

/** A heap of objects with these names, the first of which is the root, in the form in which V8 writes one. */
function heapOf(names: readonly string[], references: readonly Reference[]): string {
  const strings = [...new Set([...names, ...references.flatMap(([, , name]) => name)])].map(String);
  const count = (node: number) => references.filter(([from]) => from === node).length;
  const edges = [...references]
    .sort(([a], [b]) => a - b)
    .flatMap(([, type, name, to]) => [
      EDGE_TYPES.indexOf(type),
      typeof name === 'number' ? name : strings.indexOf(name),
      4 * to,
    ]);
  return JSON.stringify({
    snapshot: {
      meta: {
        node_fields: ['type', 'name', 'id', 'edge_count'],
        edge_fields: ['type', 'name_or_index', 'to_node'],
        edge_types: [EDGE_TYPES, 'string_or_number', 'node'],
      },
    },
    nodes: names.flatMap((name, node) => [3, strings.indexOf(name), 10 + node, count(node)]),
    edges,
    strings,
  });
}

const steps = (graph: HeapGraph, id: number) =>
  graph.pathTo(graph.nodeOf(id)!).map(({ name, from }) => `${graph.nameOf(from)}.${name}`);

describe('the way to an object', () => {
  const NAMES = ['root', '(GC roots)', 'global', 'Cache', 'Map', 'KeptObjects'];
  const ROOTS: Reference[] = [
    [0, 'element', 1, 1],
    [0, 'shortcut', 'global', 2],
    [2, 'property', 'cache', 3],
    [3, 'property', 'entries', 4],
  ];
  const LONG = ['root.global', 'global.cache', 'Cache.entries'];
  const MAP = 14;

  test('is the shortest that holds it', () => {
    expect(steps(new HeapGraph(heapOf(NAMES, ROOTS)), MAP)).toEqual(LONG);
    const shorter: Reference = [2, 'property', 'map', 4];
    expect(steps(new HeapGraph(heapOf(NAMES, [...ROOTS, shorter])), MAP)).toEqual([
      'root.global',
      'global.map',
    ]);
  });

  test('is not by who has only looked at it', () => {
    for (const looks of [
      [[2, 'weak', 'map', 4]],
      [
        [1, 'internal', 'weak_refs_keep_during_job', 5],
        [5, 'internal', '0', 4],
      ],
    ] as Reference[][]) {
      expect(steps(new HeapGraph(heapOf(NAMES, [...looks, ...ROOTS])), MAP)).toEqual(LONG);
    }
  });

  test('is none to what nothing holds', () => {
    const graph = new HeapGraph(heapOf(NAMES, ROOTS));
    expect(graph.pathTo(graph.nodeOf(15)!)).toEqual([]);
    expect(graph.nodeOf(99)).toBeUndefined();
  });
});
