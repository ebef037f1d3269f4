import { bytesPerSecond, count, perSecond, seconds } from './format.js';
import { chartBy, chartOf, isUp, now, percentile, rate, state } from './parts.js';
import type { SectionSpec } from './section.js';

const NAME = { name: 'Name' };
const DB = 'db.client.connection';
const POOL = `${DB}.pool.name`;
const LOG = 'keelson.log';
const SCALING = 'keelson.scaling';

const pools: SectionSpec = {
  id: 'pools',
  title: 'Connection pools',
  needs: [`${DB}.count`],
  charts: [
    {
      title: 'Connections',
      format: count,
      lines: (figures) => [
        ['used', figures.value(`${DB}.count`, { [`${DB}.state`]: 'used' })],
        ['idle', figures.value(`${DB}.count`, { [`${DB}.state`]: 'idle' })],
        ['waiting for one', figures.value(`${DB}.pending_requests`)],
      ],
    },
    chartOf('Waits for a connection', `${DB}.wait_time`, seconds),
  ],
  tables: [
    {
      title: 'Pools by name',
      rows: `${DB}.max`,
      labels: { [POOL]: 'Name' },
      columns: [
        now('Used', `${DB}.count`, count, { [`${DB}.state`]: 'used' }),
        now('Idle', `${DB}.count`, count, { [`${DB}.state`]: 'idle' }),
        now('Most', `${DB}.max`),
        now('Waiting', `${DB}.pending_requests`),
        rate('Acquired', 'keelson.pool.acquired'),
        percentile('Wait p99', `${DB}.wait_time`, 0.99, seconds),
        percentile('Use p99', `${DB}.use_time`, 0.99, seconds),
        now('Timeouts', `${DB}.timeouts`),
        now('Errors', 'keelson.pool.errors'),
        now('Leaks', 'keelson.pool.leaks'),
      ],
    },
  ],
};

const logger: SectionSpec = {
  id: 'logger',
  title: 'Logger',
  needs: [`${LOG}.messages`],
  charts: [
    chartBy('Lines by level', `${LOG}.messages`, 'level'),
    {
      title: 'Destinations',
      format: perSecond,
      lines: (figures) => [
        ['written', figures.rate(`${LOG}.lines`, { state: 'written' })],
        ['dropped', figures.rate(`${LOG}.dropped`)],
      ],
    },
    {
      title: 'Lines that wait',
      format: count,
      lines: (figures) => [['waiting', figures.value(`${LOG}.waiting`)]],
    },
  ],
  tables: [
    {
      title: 'Destinations',
      rows: `${LOG}.written`,
      labels: { destination: 'Destination' },
      columns: [
        rate('Lines', `${LOG}.lines`, { state: 'written' }),
        rate('Written', `${LOG}.written`, {}, bytesPerSecond),
        now('Waiting', `${LOG}.waiting`),
        now('Dropped', `${LOG}.dropped`),
        now('Failed writes', `${LOG}.write.failures`),
        now('Latency p50', `${LOG}.latency`, seconds, { quantile: '0.5' }),
        now('Latency p99', `${LOG}.latency`, seconds, { quantile: '0.99' }),
      ],
    },
  ],
};

const lifecycle: SectionSpec = {
  id: 'lifecycle',
  title: 'Lifecycle and health',
  needs: ['keelson.lifecycle.state', 'keelson.health.checks'],
  charts: [
    {
      title: 'Servers',
      format: count,
      lines: (figures) =>
        figures.has('keelson.lifecycle.state')
          ? [
              ['requests', figures.value('keelson.lifecycle.requests')],
              ['connections', figures.value('keelson.lifecycle.connections')],
            ]
          : [],
    },
    chartBy('Health checks by result', 'keelson.health.checks', 'result'),
  ],
  tables: [
    {
      title: 'Lifecycles',
      rows: 'keelson.lifecycle.state',
      labels: NAME,
      columns: [
        state('State', 'keelson.lifecycle.state', { starting: 'warn', draining: 'warn', stopped: 'bad' }),
        now('Requests', 'keelson.lifecycle.requests'),
        now('Connections', 'keelson.lifecycle.connections'),
      ],
    },
  ],
};

const scaling: SectionSpec = {
  id: 'scaling',
  title: 'Scaling',
  needs: [`${SCALING}.capacity`],
  charts: [
    chartBy('Replicas', `${SCALING}.replicas`, 'name', 'value'),
    {
      title: 'Load',
      format: count,
      lines: (figures) => [
        ['load', figures.value(`${SCALING}.load`)],
        ['forecast', figures.value(`${SCALING}.forecast`)],
      ],
    },
  ],
  tables: [
    {
      title: 'Fleets',
      rows: `${SCALING}.capacity`,
      labels: NAME,
      columns: [
        isUp('Redis', `${SCALING}.redis.up`),
        now('Replicas', `${SCALING}.replicas`),
        now('Load', `${SCALING}.load`),
        now('Forecast', `${SCALING}.forecast`),
        now('Capacity of one', `${SCALING}.capacity`),
        now('Processes', `${SCALING}.members`),
      ],
    },
  ],
};

export const OPERATIONS: readonly SectionSpec[] = [pools, logger, lifecycle, scaling];
