import { release } from './heap.js';
import { callScript } from './probe/script.js';
import type { Session } from './session.js';
import { HeapGraph } from './snapshot.js';

/** Bytes of a heap beyond which no snapshot is taken: it takes the service twice that memory, and seconds. */
const LARGEST = 256 * 1024 * 1024;
const PATIENCE = 120_000;
/** Steps that are shown, those nearest to the collection. */
const SHOWN = 4;

/**
 * What holds collections, by their numbers, from a snapshot of the heap; undefined where it is too large for that.
 */
export async function pathsOf(
  session: Session,
  numbers: readonly number[],
): Promise<ReadonlyMap<number, string> | undefined> {
  const { usedSize } = await session.post('Runtime.getHeapUsage');
  if ((usedSize as number) > LARGEST) return undefined;
  try {
    const graph = new HeapGraph(await snapshotOf(session));
    const paths = new Map<number, string>();
    for (const number of numbers) {
      const node = graph.nodeOf(await heapId(session, number));
      if (node !== undefined) paths.set(number, shown(graph, node));
    }
    return paths;
  } finally {
    await release(session);
    // Lets go of the numbers by which V8 knows its objects.
    await session.post('HeapProfiler.disable');
  }
}

/** The number by which V8 knows a collection: objects have one since the snapshot, which is why it is asked for after it. */
async function heapId(session: Session, number: number): Promise<number> {
  const params = { expression: callScript('pick', number), objectGroup: 'keelson-doctor', silent: true };
  const { result } = await session.post('Runtime.evaluate', params);
  const { objectId } = result!;
  const { heapSnapshotObjectId } = await session.post('HeapProfiler.getHeapObjectId', { objectId });
  return Number(heapSnapshotObjectId);
}

async function snapshotOf(session: Session): Promise<string> {
  const chunks: string[] = [];
  session.on('HeapProfiler.addHeapSnapshotChunk', ({ chunk }) => chunks.push(chunk));
  await session.post('HeapProfiler.takeHeapSnapshot', { reportProgress: false }, PATIENCE);
  return chunks.join('');
}

/** A path in the words of the source: its variables and properties, without what V8 has in between. */
function shown(graph: HeapGraph, node: number): string {
  const steps: string[] = [];
  let holder = '';
  for (const { type, name, from } of graph.pathTo(node)) {
    if (type === 'internal' && name === 'context') holder = graph.nameOf(from);
    if (type === 'context')
      steps.push(holder === '' ? `variable ${name}` : `variable ${name} of ${holder}()`);
    else if (type === 'property') steps.push(`${classOf(graph, from)}.${name}`);
    else if (type === 'element') steps.push(`${classOf(graph, from)}[${name}]`);
  }
  const kept = steps.slice(-SHOWN);
  return [...(kept.length < steps.length ? ['…'] : []), ...kept].join(' → ');
}

/** V8 calls the global object by more than its name. */
const classOf = (graph: HeapGraph, node: number) =>
  graph.nameOf(node).replace(/^global\b.*\/.*/, 'globalThis');
