/** A heap snapshot as V8 writes it: numbers of fixed fields one after the other. */
interface Snapshot {
  snapshot: {
    meta: {
      node_fields: string[];
      edge_fields: string[];
      edge_types: [string[], ...unknown[]];
    };
  };
  nodes: number[];
  edges: number[];
  strings: string[];
}

interface Edge {
  type: string;
  /** The name of a property or variable, or an index. */
  name: string;
  /** The number of the node that it begins at. */
  from: number;
}

/** What V8 holds until the current job is over, because somebody has looked at it through a WeakRef. */
const HELD_A_WHILE = 'weak_refs_keep_during_job';

/** The references of a heap, and from where each object is reached first. */
export class HeapGraph {
  readonly #snapshot: Snapshot;
  readonly #nodeSize: number;
  readonly #edgeSize: number;
  /** By node: the place in `edges` of the reference by which it is reached first; -1 for none. */
  readonly #reachedBy: Int32Array;
  readonly #reachedFrom: Int32Array;

  constructor(text: string) {
    this.#snapshot = JSON.parse(text) as Snapshot;
    const { nodes, snapshot } = this.#snapshot;
    this.#nodeSize = snapshot.meta.node_fields.length;
    this.#edgeSize = snapshot.meta.edge_fields.length;
    this.#reachedBy = new Int32Array(nodes.length / this.#nodeSize).fill(-1);
    this.#reachedFrom = new Int32Array(this.#reachedBy.length);
    this.#walk();
  }

  /** Breadth first, so that the paths are the shortest. Weak references hold nothing, and to look at an object does not count. */
  #walk(): void {
    const { nodes, edges, strings, snapshot } = this.#snapshot;
    const { meta } = snapshot;
    const [size, edgeSize] = [this.#nodeSize, this.#edgeSize];
    const countAt = meta.node_fields.indexOf('edge_count');
    const typeAt = meta.edge_fields.indexOf('type');
    const toAt = meta.edge_fields.indexOf('to_node');
    const nameAt = meta.edge_fields.indexOf('name_or_index');
    const weak = meta.edge_types[0].indexOf('weak');
    const internal = meta.edge_types[0].indexOf('internal');
    const heldAWhile = strings.indexOf(HELD_A_WHILE);
    const holds = (edge: number) => {
      const type = edges[edge + typeAt];
      return type !== weak && !(type === internal && edges[edge + nameAt] === heldAWhile);
    };
    const total = this.#reachedBy.length;
    const first = new Int32Array(total + 1);
    for (let node = 0; node < total; node++) {
      first[node + 1] = first[node]! + nodes[node * size + countAt]! * edgeSize;
    }
    const queue = new Int32Array(total);
    let length = 1;
    for (let next = 0; next < length; next++) {
      const from = queue[next]!;
      for (let edge = first[from]!; edge < first[from + 1]!; edge += edgeSize) {
        const to = edges[edge + toAt]! / size;
        if (to === 0 || this.#reachedBy[to] !== -1 || !holds(edge)) continue;
        this.#reachedBy[to] = edge;
        this.#reachedFrom[to] = from;
        queue[length++] = to;
      }
    }
  }

  /** The node of an object, by the id that V8 gave it. */
  nodeOf(id: number): number | undefined {
    const { nodes, snapshot } = this.#snapshot;
    const idAt = snapshot.meta.node_fields.indexOf('id');
    for (let at = idAt; at < nodes.length; at += this.#nodeSize) {
      if (nodes[at] === id) return (at - idAt) / this.#nodeSize;
    }
    return undefined;
  }

  /** The name of a node: of an object its class, of a function its name. */
  nameOf(node: number): string {
    const { nodes, strings, snapshot } = this.#snapshot;
    return strings[nodes[node * this.#nodeSize + snapshot.meta.node_fields.indexOf('name')]!]!;
  }

  /** The references from the root to a node. */
  pathTo(node: number): Edge[] {
    const path: Edge[] = [];
    for (let at = node; this.#reachedBy[at] !== -1 && at !== 0; at = this.#reachedFrom[at]!) {
      path.unshift(this.#edge(this.#reachedBy[at]!, this.#reachedFrom[at]!));
    }
    return path;
  }

  #edge(at: number, from: number): Edge {
    const { edges, strings, snapshot } = this.#snapshot;
    const { edge_fields, edge_types } = snapshot.meta;
    const type = edge_types[0][edges[at + edge_fields.indexOf('type')]!]!;
    const name = edges[at + edge_fields.indexOf('name_or_index')]!;
    const indexed = type === 'element' || type === 'hidden';
    return { type, name: indexed ? String(name) : strings[name]!, from };
  }
}
