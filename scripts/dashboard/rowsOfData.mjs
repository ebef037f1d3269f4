import { lines, states } from './panels.mjs';
import { max, min, rate, share, sum } from './promql.mjs';

const NAMED = ['job', 'name'];
const NAME = '{{job}} {{name}}';

const caches = [
  lines(
    'Hit ratio',
    'Share of lookups that found a value, stale ones too.',
    { unit: 'percentunit', max: 1 },
    [share('keelson_cache_lookups_total', NAMED, 'result!="miss"'), NAME],
  ),
  lines('Lookups', 'By result.', { unit: 'ops' }, [
    rate('keelson_cache_lookups_total', [...NAMED, 'result']),
    `${NAME} {{result}}`,
  ]),
  lines(
    'Entries',
    'And how many there may be.',
    {},
    [sum('keelson_cache_entries', NAMED), NAME],
    [sum('keelson_cache_entries_limit', NAMED), `${NAME} limit`],
  ),
  lines('Entries that go', 'By reason: size and weight are evictions.', { unit: 'ops' }, [
    rate('keelson_cache_removals_total', [...NAMED, 'reason']),
    `${NAME} {{reason}}`,
  ]),
  lines(
    'Entries that come',
    'And values that are too heavy for their cache.',
    { unit: 'ops' },
    [rate('keelson_cache_insertions_total', NAMED), `${NAME} made`],
    [rate('keelson_cache_rejections_total', NAMED), `${NAME} rejected`],
  ),
  lines(
    'Loads',
    'Calls of loaders, those that failed, and calls that joined another’s.',
    { unit: 'ops' },
    [rate('keelson_cache_loads_total', NAMED), `${NAME} loads`],
    [rate('keelson_cache_load_failures_total', NAMED), `${NAME} failed`],
    [rate('keelson_cache_loads_coalesced_total', NAMED), `${NAME} joined`],
  ),
];

const shared = [
  lines('Hit ratio', 'Share of lookups that found a value.', { unit: 'percentunit', max: 1 }, [
    share('keelson_shared_cache_lookups_total', NAMED, 'result="hit"'),
    NAME,
  ]),
  lines('Lookups', 'By result.', { unit: 'ops' }, [
    rate('keelson_shared_cache_lookups_total', [...NAMED, 'result']),
    `${NAME} {{result}}`,
  ]),
  lines('Memory', 'That entries take, of the whole process each.', { unit: 'bytes' }, [
    max('keelson_shared_cache_size_bytes', ['job', 'instance', 'name']),
    '{{job}} {{instance}} {{name}}',
  ]),
  lines('Entries', 'Of each process.', {}, [
    max('keelson_shared_cache_entries', ['job', 'instance', 'name']),
    '{{job}} {{instance}} {{name}}',
  ]),
  lines('Entries that go', 'By reason: size and weight are evictions.', { unit: 'ops' }, [
    rate('keelson_shared_cache_removals_total', [...NAMED, 'reason']),
    `${NAME} {{reason}}`,
  ]),
  lines(
    'Entries that come',
    'And values that are beyond the budget.',
    { unit: 'ops' },
    [rate('keelson_shared_cache_sets_total', NAMED), `${NAME} stored`],
    [rate('keelson_shared_cache_rejections_total', NAMED), `${NAME} rejected`],
  ),
];

const tiered = [
  lines('Lookups', 'By the tier that had the value.', { unit: 'ops', stack: true }, [
    rate('keelson_tiered_cache_lookups_total', [...NAMED, 'result']),
    `${NAME} {{result}}`,
  ]),
  lines('Hit ratio', 'Of all tiers together.', { unit: 'percentunit', max: 1 }, [
    share('keelson_tiered_cache_lookups_total', NAMED, 'result!="miss"'),
    NAME,
  ]),
  lines(
    'Loads',
    'Of the source, those that failed, and old values that were given instead, by why.',
    { unit: 'ops' },
    [rate('keelson_tiered_cache_loads_total', NAMED), `${NAME} loads`],
    [rate('keelson_tiered_cache_load_failures_total', NAMED), `${NAME} failed`],
    [rate('keelson_tiered_cache_stale_total', [...NAMED, 'reason']), `${NAME} stale, {{reason}}`],
  ),
  states(
    'Redis',
    'Whether it answers; the other tiers go on alone while it does not.',
    [
      ['down', 'red'],
      ['up', 'green'],
    ],
    [min('keelson_tiered_cache_redis_up', NAMED), NAME],
  ),
  lines(
    'Staleness',
    'Since all changes by others were known: how old answers may be.',
    { unit: 's', warn: [60] },
    [max('keelson_tiered_cache_staleness_seconds', NAMED), NAME],
  ),
  lines(
    'Changes',
    'By others that were heard of, and calls that Redis did not answer.',
    { unit: 'ops' },
    [rate('keelson_tiered_cache_invalidations_total', NAMED), `${NAME} heard`],
    [rate('keelson_tiered_cache_redis_errors_total', NAMED), `${NAME} errors`],
  ),
  lines(
    'Owed',
    'Changes that Redis is to be told of, and writes that wait for the source.',
    {},
    [sum('keelson_tiered_cache_redis_owed', NAMED), `${NAME} changes`],
    [sum('keelson_tiered_cache_writes_pending', NAMED), `${NAME} writes`],
  ),
  lines('Writes that fail', 'Batches that the source did not take.', { unit: 'ops' }, [
    rate('keelson_tiered_cache_store_failures_total', NAMED),
    NAME,
  ]),
];

export const data = [
  { title: 'Caches', panels: caches },
  { title: 'Shared caches', panels: shared },
  { title: 'Tiered caches', panels: tiered },
];
