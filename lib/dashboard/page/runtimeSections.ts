import { bytes, bytesPerSecond, count, seconds, share } from './format.js';
import { chartBy, chartOf, linesBy, now, rate } from './parts.js';
import type { SectionSpec } from './section.js';

const THREAD = { thread: 'Thread' };
const NAME = { name: 'Name' };
const DELAY = 'nodejs.eventloop.delay';
const HEAP = 'nodejs.heap.size';

const eventLoop: SectionSpec = {
  id: 'event-loop',
  title: 'Event loop',
  needs: [`${DELAY}.p99`],
  charts: [
    {
      title: 'Delay of the slowest thread',
      format: seconds,
      lines: (figures) => [
        ['p99', figures.max(`${DELAY}.p99`)],
        ['mean', figures.max(`${DELAY}.mean`)],
      ],
    },
    {
      title: 'Utilization by thread',
      format: share,
      most: 1,
      lines: (figures) => linesBy(figures, 'value', 'nodejs.eventloop.utilization', 'thread'),
    },
  ],
  tables: [
    {
      title: 'Event loops',
      rows: 'nodejs.eventloop.utilization',
      labels: THREAD,
      columns: [
        now('Utilization', 'nodejs.eventloop.utilization', share),
        ...['mean', 'p50', 'p90', 'p99', 'max'].map((what) => now(what, `${DELAY}.${what}`, seconds)),
      ],
    },
  ],
};

const memory: SectionSpec = {
  id: 'memory',
  title: 'Memory',
  needs: [`${HEAP}.used`],
  charts: [
    {
      title: 'Process',
      format: bytes,
      lines: (figures) => [
        ['resident', figures.value('process.memory.usage')],
        ['heaps', figures.value(`${HEAP}.used`)],
        ['external', figures.value('nodejs.external.memory')],
      ],
    },
    chartBy('Heap by thread', `${HEAP}.used`, 'thread', 'value', bytes),
  ],
  tables: [
    {
      title: 'Heaps',
      rows: `${HEAP}.used`,
      labels: THREAD,
      columns: [
        now('Used', `${HEAP}.used`, bytes),
        now('Limit', `${HEAP}.limit`, bytes),
        now('External', 'nodejs.external.memory', bytes),
      ],
    },
  ],
};

const timers: SectionSpec = {
  id: 'timers',
  title: 'Timers',
  needs: ['keelson.timers.pending'],
  charts: [
    chartBy('Pending by kind', 'keelson.timers.pending', 'kind', 'value'),
    {
      title: 'Made and fired',
      format: (value) => `${count(value)}/s`,
      lines: (figures) => [
        ['made', figures.rate('keelson.timers.scheduled')],
        ['fired', figures.rate('keelson.timers.fired')],
      ],
    },
  ],
  tables: [
    {
      title: 'Groups',
      rows: 'keelson.timers.group.pending',
      labels: { group: 'Group', name: 'Manager' },
      columns: [now('Pending', 'keelson.timers.group.pending')],
    },
    {
      title: 'Managers',
      rows: 'keelson.timers.pending',
      labels: NAME,
      columns: [
        now('Pending', 'keelson.timers.pending'),
        rate('Made', 'keelson.timers.scheduled'),
        rate('Fired', 'keelson.timers.fired'),
        now('Failed', 'keelson.timers.failures'),
        now('Stale', 'keelson.timers.stale'),
        now('Skipped', 'keelson.timers.skipped'),
      ],
    },
  ],
};

const JSON_POOL = 'keelson.json';
const json: SectionSpec = {
  id: 'json',
  title: 'JSON pool',
  needs: [`${JSON_POOL}.calls`],
  charts: [
    {
      title: 'Tasks',
      format: count,
      lines: (figures) => [
        ['queued', figures.value(`${JSON_POOL}.tasks.queued`)],
        ['active', figures.value(`${JSON_POOL}.tasks.active`)],
      ],
    },
    {
      title: 'Throughput',
      format: bytesPerSecond,
      lines: (figures) => [
        ['read', figures.rate(`${JSON_POOL}.read`)],
        ['written', figures.rate(`${JSON_POOL}.written`)],
      ],
    },
    chartOf('Duration of tasks', `${JSON_POOL}.task.duration`, seconds),
    chartOf('Time in the queue', `${JSON_POOL}.queue.duration`, seconds),
  ],
  tables: [
    {
      title: 'Pools',
      rows: `${JSON_POOL}.calls`,
      labels: NAME,
      columns: [
        rate('Calls', `${JSON_POOL}.calls`),
        now('Queued', `${JSON_POOL}.tasks.queued`),
        now('Active', `${JSON_POOL}.tasks.active`),
        now('Threads', `${JSON_POOL}.threads`),
        now('Errors', `${JSON_POOL}.errors`),
        rate('Read', `${JSON_POOL}.read`, {}, bytesPerSecond),
        rate('Written', `${JSON_POOL}.written`, {}, bytesPerSecond),
      ],
    },
  ],
};

export const RUNTIME: readonly SectionSpec[] = [eventLoop, memory];
export const WORK: readonly SectionSpec[] = [timers, json];
