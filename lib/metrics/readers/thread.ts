import { performance } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import { isMainThread, threadId } from 'node:worker_threads';
import { EventLoopWindow, RESOLUTION } from '../../eventLoopWindow.js';
import { gauge, peak, processCounter } from '../family.js';
import type { Tell } from '../told.js';

/** Milliseconds of a window. */
const WINDOW = 5_000;
const NANOSECONDS = 1e9;
const THREAD = { labels: ['thread'] };

const CPU = processCounter('process.cpu.time', 's', 'Time of processors that the process took.', {
  prometheusName: 'process_cpu_seconds_total',
});
const STARTED = peak('process.start.time', 's', 'When the process began, since the epoch.', {
  prometheusName: 'process_start_time_seconds',
});
const MEMORY = peak('process.memory.usage', 'By', 'Memory of the process that is resident.', {
  prometheusName: 'process_resident_memory_bytes',
});
const THREADS = gauge('nodejs.threads', '{thread}', 'Threads that use keelson.');
const HEAP = gauge('nodejs.heap.size.used', 'By', 'Memory that objects take, by thread.', THREAD);
const HEAP_LIMIT = gauge('nodejs.heap.size.limit', 'By', 'What they may take at most.', THREAD);
const EXTERNAL = gauge('nodejs.external.memory', 'By', 'Memory of buffers outside of the heap.', THREAD);
const delay = (name: string, what: string) =>
  gauge(`nodejs.eventloop.delay.${name}`, 's', `How late the event loop is, ${what} of 5 to 10 s.`, {
    ...THREAD,
    prometheusName: `nodejs_eventloop_lag_${name}_seconds`,
  });
const DELAYS = { mean: delay('mean', 'on average'), max: delay('max', 'at most') };
const PERCENTILES = [50, 90, 99].map((p) => [p, delay(`p${p}`, `the ${p}th percentile`)] as const);
const UTILIZATION = gauge('nodejs.eventloop.utilization', '1', 'Share of time that the loop worked.', THREAD);

/** What this thread takes, beside what its utilities do. Sampling begins when somebody first asks. */
export class ThreadFigures {
  #window: EventLoopWindow | undefined;
  #utilization = performance.eventLoopUtilization();

  readonly tell = (tell: Tell): void => {
    const thread = { thread: String(threadId) };
    tell(THREADS, 1);
    this.#tellProcess(tell);
    const { used_heap_size, heap_size_limit, external_memory } = getHeapStatistics();
    tell(HEAP, used_heap_size, thread);
    tell(HEAP_LIMIT, heap_size_limit, thread);
    tell(EXTERNAL, external_memory, thread);
    const now = performance.eventLoopUtilization();
    tell(UTILIZATION, performance.eventLoopUtilization(now, this.#utilization).utilization, thread);
    this.#utilization = now;
    this.#window ??= new EventLoopWindow(WINDOW);
    const { delays } = this.#window;
    const seconds = (nanoseconds: number): number =>
      delays.count === 0 ? 0 : Math.max(0, nanoseconds / NANOSECONDS - RESOLUTION / 1000);
    tell(DELAYS.mean, seconds(delays.mean), thread);
    tell(DELAYS.max, seconds(delays.max), thread);
    for (const [percentile, family] of PERCENTILES)
      tell(family, seconds(delays.percentile(percentile)), thread);
  };

  #tellProcess(tell: Tell): void {
    const { user, system } = process.cpuUsage();
    tell(CPU, (user + system) / 1e6);
    if (isMainThread) tell(STARTED, performance.timeOrigin / 1000);
    tell(MEMORY, process.memoryUsage.rss());
  }
}
