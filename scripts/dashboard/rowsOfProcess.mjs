import { lines, number } from './panels.mjs';
import { max, rate, series, share, sum } from './promql.mjs';

const BY_INSTANCE = ['job', 'instance'];
const BY_THREAD = ['job', 'instance', 'thread'];

const overview = [
  number('Processes', 'Processes that are scraped.', {}, `count(${series('process_start_time_seconds')})`),
  number(
    'Youngest process',
    'Time since a process was started last. It is short after a release, and after a crash.',
    { unit: 's' },
    `time() - ${max('process_start_time_seconds')}`,
  ),
  number(
    'Event loop, p99',
    'How late the latest event loop is: one turn in a hundred comes later.',
    { unit: 's', warn: [0.1, 0.25] },
    max('nodejs_eventloop_lag_p99_seconds'),
  ),
  number('Requests', 'Requests of all routes.', { unit: 'reqps' }, rate('keelson_router_requests_total')),
  number(
    'Answers 5xx',
    'Share of all answers that are the service’s fault.',
    { unit: 'percentunit', warn: [0.001, 0.01] },
    share('keelson_router_responses_total', [], 'status="5xx"'),
  ),
  number(
    'Breakers that are open',
    'Circuit breakers that let nothing through, or only probes.',
    { warn: [1] },
    sum('keelson_breaker_state', [], 'state=~"open|halfOpen"'),
  ),
  lines(
    'Resident memory',
    'Memory of each process. Limits of containers are not known here.',
    { unit: 'bytes' },
    [max('process_resident_memory_bytes', BY_INSTANCE), '{{job}} {{instance}}'],
  ),
  lines(
    'Processor time',
    'Processors that each process keeps busy, with all of its threads.',
    { unit: 'short' },
    [rate('process_cpu_seconds_total', BY_INSTANCE), '{{job}} {{instance}}'],
  ),
  lines('Threads', 'Threads of JavaScript that have loaded keelson.', {}, [
    sum('nodejs_threads', BY_INSTANCE),
    '{{job}} {{instance}}',
  ]),
  lines(
    'Event loop, by thread',
    'How late turns come, 99th percentile. What is late here is late for all requests of the thread.',
    { unit: 's', warn: [0.25] },
    [max('nodejs_eventloop_lag_p99_seconds', BY_THREAD), '{{job}} {{instance}} {{thread}}'],
  ),
  lines(
    'Event loop, of all threads',
    'Of the worst thread, by percentile.',
    { unit: 's' },
    [max('nodejs_eventloop_lag_max_seconds'), 'max'],
    [max('nodejs_eventloop_lag_p99_seconds'), 'p99'],
    [max('nodejs_eventloop_lag_p90_seconds'), 'p90'],
    [max('nodejs_eventloop_lag_p50_seconds'), 'p50'],
    [max('nodejs_eventloop_lag_mean_seconds'), 'mean'],
  ),
  lines(
    'Event-loop utilization',
    'Share of time that each event loop works. Near 1 requests queue.',
    { unit: 'percentunit', max: 1, warn: [0.95] },
    [max('nodejs_eventloop_utilization_ratio', BY_THREAD), '{{job}} {{instance}} {{thread}}'],
  ),
];

const memory = [
  lines(
    'Heap',
    'What objects take, before and after garbage collection. A floor that rises is a leak.',
    { unit: 'bytes' },
    [max('nodejs_heap_size_used_bytes', BY_THREAD), '{{job}} {{instance}} {{thread}}'],
  ),
  lines('Heap, share of its limit', 'At 1 the process dies.', { unit: 'percentunit', max: 1, warn: [0.9] }, [
    `${max('nodejs_heap_size_used_bytes', BY_THREAD)} / ${max('nodejs_heap_size_limit_bytes', BY_THREAD)}`,
    '{{job}} {{instance}} {{thread}}',
  ]),
  lines('External memory', 'Of buffers, which are outside of the heap.', { unit: 'bytes' }, [
    max('nodejs_external_memory_bytes', BY_THREAD),
    '{{job}} {{instance}} {{thread}}',
  ]),
];

export const process = [
  { title: 'Overview', isOpen: true, panels: overview },
  { title: 'Memory by thread', isOpen: true, panels: memory },
];
