import { getHeapStatistics } from 'node:v8';

/** A measurement against its limit, in bytes. */
export interface Use {
  readonly used: number;
  readonly limit: number;
}

/** The heap against V8's limit. */
export function heapUse(): Use {
  const { used_heap_size, heap_size_limit } = getHeapStatistics();
  return { used: used_heap_size, limit: heap_size_limit };
}

/** The process against the memory limit of its container (cgroup), where there is one. */
export function containerUse(): Use | undefined {
  // Without a limit this is 0, undefined, or a number beyond any real memory.
  const limit = process.constrainedMemory?.() ?? 0;
  return limit > 0 ? { used: process.memoryUsage.rss(), limit } : undefined;
}
