import type { Health } from '../../health.js';
import type { Lifecycle, LifecycleState } from '../../lifecycle.js';
import type { Scaling } from '../../scaling.js';
import { allWell, counter, gauge, peak } from '../family.js';
import type { Tell } from '../told.js';

const NAME = { labels: ['name'] };
const STATES: readonly LifecycleState[] = ['starting', 'ready', 'draining', 'stopped'];
const STATE = gauge('keelson.lifecycle.state', '{lifecycle}', 'Lifecycles by how they stand.', {
  labels: ['name', 'state'],
});
const REQUESTS = gauge(
  'keelson.lifecycle.requests',
  '{request}',
  'Requests that servers have under way.',
  NAME,
);
const CONNECTIONS = gauge('keelson.lifecycle.connections', '{connection}', 'Connections of servers.', NAME);

export function readLifecycle(lifecycle: Lifecycle, tell: Tell): void {
  const stats = lifecycle.getStats();
  // The one that everybody has, where nobody uses it.
  if (stats.state === 'starting' && stats.resources === 0) return;
  for (const state of STATES) tell(STATE, Number(stats.state === state), { state });
  tell(REQUESTS, stats.requests);
  tell(CONNECTIONS, stats.connections);
}

const CHECKS = counter('keelson.health.checks', '{check}', 'Checks that ran, by what came of them.', {
  labels: ['name', 'result'],
});

export function readHealth(health: Health, tell: Tell): void {
  const { runs, failures, timeouts } = health.getStats();
  tell(CHECKS, runs - failures - timeouts, { result: 'passed' });
  tell(CHECKS, failures, { result: 'failed' });
  tell(CHECKS, timeouts, { result: 'timeout' });
}

const REPLICAS = peak('keelson.scaling.replicas', '{replica}', 'Replicas that are recommended.', NAME);
const LOAD = peak('keelson.scaling.load', '{load}', 'The load of the fleet.', NAME);
const FORECAST = peak('keelson.scaling.forecast', '{load}', 'The load that is forecast.', NAME);
const CAPACITY = peak('keelson.scaling.capacity', '{load}', 'The load that one replica bears.', NAME);
const MEMBERS = peak('keelson.scaling.members', '{process}', 'Processes of the fleet.', NAME);
const UP = allWell('keelson.scaling.redis.up', 'Whether Redis answered last.', NAME);

export function readScaling(scaling: Scaling, tell: Tell): void {
  const { name } = scaling;
  const metrics = scaling.metrics();
  // What is not known is not told.
  const unknown = Number.NaN;
  tell(REPLICAS, metrics.replicas ?? unknown, { name });
  tell(LOAD, metrics.load ?? unknown, { name });
  tell(FORECAST, metrics.forecast ?? unknown, { name });
  tell(CAPACITY, metrics.capacity, { name });
  tell(MEMBERS, metrics.members, { name });
  tell(UP, Number(metrics.connected ?? unknown), { name });
}
