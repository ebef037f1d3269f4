import { lines, states } from './panels.mjs';
import { max, min, rate, state, sum } from './promql.mjs';

const NAMED = ['job', 'name'];

const LIFECYCLES = ['ready', 'starting', 'draining', 'stopped'];
const lifecycle = [
  states(
    'Lifecycle',
    'Whether each process starts, is ready, or is shutting down.',
    [
      ['ready', 'green'],
      ['starting', 'blue'],
      ['draining', 'orange'],
      ['stopped', 'dark-red'],
    ],
    [
      state('keelson_lifecycle_state', ['job', 'instance', 'name'], LIFECYCLES),
      '{{job}} {{instance}} {{name}}',
    ],
  ),
  lines(
    'Servers',
    'What their processes would have to wait for in a shutdown.',
    {},
    [sum('keelson_lifecycle_requests', ['job']), '{{job}} requests'],
    [sum('keelson_lifecycle_connections', ['job']), '{{job}} connections'],
  ),
  lines('Health checks', 'Checks a second, by what came of them.', { unit: 'ops' }, [
    rate('keelson_health_checks_total', ['job', 'result']),
    '{{job}} {{result}}',
  ]),
];

const scaling = [
  lines(
    'Replicas',
    'That are recommended, and the processes that there are.',
    {},
    [max('keelson_scaling_replicas', NAMED), '{{job}} {{name}} recommended'],
    [max('keelson_scaling_members', NAMED), '{{job}} {{name}} present'],
  ),
  lines(
    'Load',
    'Of the fleet, as it is and as it is forecast, and what its processes bear.',
    {},
    [max('keelson_scaling_load', NAMED), '{{job}} {{name}} load'],
    [max('keelson_scaling_forecast', NAMED), '{{job}} {{name}} forecast'],
    [
      `${max('keelson_scaling_capacity', NAMED)} * ${max('keelson_scaling_members', NAMED)}`,
      '{{job}} {{name}} capacity',
    ],
  ),
  states(
    'Redis',
    'Whether the fleet’s load is heard of; without it each process goes by its own.',
    [
      ['down', 'red'],
      ['up', 'green'],
    ],
    [min('keelson_scaling_redis_up', NAMED), '{{job}} {{name}}'],
  ),
];

export const operations = [
  { title: 'Lifecycle and health', panels: lifecycle },
  { title: 'Scaling', panels: scaling },
];
