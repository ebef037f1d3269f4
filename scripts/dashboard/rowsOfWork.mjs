import { lines } from './panels.mjs';
import { quantile, rate, sum } from './promql.mjs';

const NAMED = ['job', 'name'];

const timers = [
  lines('Timers that wait', 'By kind. A number that only grows is a leak.', {}, [
    sum('keelson_timers_pending', [...NAMED, 'kind']),
    '{{job}} {{name}} {{kind}}',
  ]),
  lines('Timers that wait, by group', 'Of those that were made with a group.', {}, [
    sum('keelson_timers_group_pending', [...NAMED, 'group']),
    '{{job}} {{name}} {{group}}',
  ]),
  lines(
    'Made and fired',
    'Timers that were made, and callbacks that were called, a second.',
    { unit: 'ops' },
    [rate('keelson_timers_scheduled_total', NAMED), '{{job}} {{name}} made'],
    [rate('keelson_timers_fired_total', NAMED), '{{job}} {{name}} fired'],
  ),
  lines('Ended', 'Timers that ended, by cause.', { unit: 'ops' }, [
    rate('keelson_timers_ended_total', [...NAMED, 'cause']),
    '{{job}} {{name}} {{cause}}',
  ]),
  lines(
    'Late and failed',
    'Ticks that a busy event loop left out, and callbacks that threw.',
    { unit: 'ops' },
    [rate('keelson_timers_skipped_total', NAMED), '{{job}} {{name}} skipped'],
    [rate('keelson_timers_failures_total', NAMED), '{{job}} {{name}} failed'],
  ),
  lines(
    'Limits',
    'Timers that outlived their maxLifetime, and times that the limit of all was crossed.',
    { unit: 'ops' },
    [rate('keelson_timers_stale_total', NAMED), '{{job}} {{name}} stale'],
    [rate('keelson_timers_limit_crossings_total', NAMED), '{{job}} {{name}} limit'],
  ),
];

const json = [
  lines(
    'Calls',
    'That have settled: `direct` those so small that the thread did them at once.',
    { unit: 'ops' },
    [rate('keelson_json_calls_total', [...NAMED, 'way']), '{{job}} {{name}} {{way}}'],
  ),
  lines('Errors', 'Calls that failed, by cause.', { unit: 'ops' }, [
    rate('keelson_json_errors_total', [...NAMED, 'cause']),
    '{{job}} {{name}} {{cause}}',
  ]),
  lines(
    'Text',
    'Read and written.',
    { unit: 'Bps' },
    [rate('keelson_json_read_bytes_total', NAMED), '{{job}} {{name}} read'],
    [rate('keelson_json_written_bytes_total', NAMED), '{{job}} {{name}} written'],
  ),
  lines(
    'Queue',
    'Tasks that wait and that are worked on, and the threads that there are for them.',
    {},
    [sum('keelson_json_tasks_queued', NAMED), '{{job}} {{name}} queued'],
    [sum('keelson_json_tasks_active', NAMED), '{{job}} {{name}} active'],
    [sum('keelson_json_threads', NAMED), '{{job}} {{name}} threads'],
  ),
  lines(
    'Waiting and working, p99',
    'For its turn, and from its turn to the result.',
    { unit: 's' },
    [quantile(0.99, 'keelson_json_queue_duration_seconds', NAMED), '{{job}} {{name}} waiting'],
    [quantile(0.99, 'keelson_json_task_duration_seconds', NAMED), '{{job}} {{name}} working'],
  ),
  lines(
    'Where the time goes, p99',
    'What a task takes of the main thread, which is held up by it, and of native ones, which are not.',
    { unit: 's' },
    [quantile(0.99, 'keelson_json_main_duration_seconds', NAMED), '{{job}} {{name}} main'],
    [quantile(0.99, 'keelson_json_native_duration_seconds', NAMED), '{{job}} {{name}} native'],
  ),
];

export const work = [
  { title: 'Timers', panels: timers },
  { title: 'JSON pools', panels: json },
];
