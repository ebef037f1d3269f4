import type { Figures } from './figures.js';
import { count, perSecond, seconds, share } from './format.js';
import { chartBy, chartOf, isUp, linesBy, now, percentile, rate, state, words } from './parts.js';
import type { SectionSpec } from './section.js';
import type { At } from './snapshot.js';

const NAME = { name: 'Name' };
const ROUTER = 'keelson.router';
const LIMITER = 'keelson.rate_limiter';
const BREAKER = 'keelson.breaker';

/** What of answers is no success, or of attempts has failed, as a share of requests. */
function failed(figures: Figures, at: At = {}): number | undefined {
  const requests = figures.rate(`${ROUTER}.requests`, at);
  if (requests === undefined || requests === 0) return undefined;
  return (figures.rate(`${ROUTER}.responses`, { ...at, status: '5xx' }) ?? 0) / requests;
}

const routes: SectionSpec = {
  id: 'routes',
  title: 'Routes',
  needs: [`${ROUTER}.requests`, `${ROUTER}.unrouted`],
  charts: [
    {
      title: 'Requests',
      format: perSecond,
      lines: (figures) => [
        ['routed', figures.rate(`${ROUTER}.requests`)],
        ['without a route', figures.rate(`${ROUTER}.unrouted`)],
      ],
    },
    chartBy('Answers by class', `${ROUTER}.responses`, 'status'),
    chartOf('Latency', `${ROUTER}.request.duration`, seconds),
  ],
  tables: [
    {
      title: 'Routes by requests',
      rows: `${ROUTER}.requests`,
      labels: { 'http.route': 'Route', 'http.request.method': 'Method', name: 'Router' },
      sortBy: 'Requests',
      columns: [
        now('Requests', `${ROUTER}.requests`),
        rate('Rate', `${ROUTER}.requests`),
        { title: '5xx', format: share, value: failed },
        percentile('p50', `${ROUTER}.request.duration`, 0.5, seconds),
        percentile('p99', `${ROUTER}.request.duration`, 0.99, seconds),
        now('In flight', `${ROUTER}.requests.active`),
        now('Failed', `${ROUTER}.errors`),
        now('Retries', `${ROUTER}.retries`),
        now('Ejected', `${ROUTER}.handlers.ejected`),
      ],
    },
  ],
};

const limiters: SectionSpec = {
  id: 'rate-limiters',
  title: 'Rate limiters',
  needs: [`${LIMITER}.checks`],
  charts: [
    chartBy('Decisions', `${LIMITER}.checks`, 'result'),
    {
      title: 'Keys',
      format: count,
      lines: (figures) => [
        ['known', figures.value(`${LIMITER}.keys`)],
        ['blocked', figures.value(`${LIMITER}.keys.blocked`)],
      ],
    },
  ],
  tables: [
    {
      title: 'Limiters by name',
      rows: `${LIMITER}.checks`,
      labels: NAME,
      columns: [
        isUp('Store', `${LIMITER}.store.up`),
        rate('Allowed', `${LIMITER}.checks`, { result: 'allowed' }),
        rate('Denied', `${LIMITER}.checks`, { result: 'denied' }),
        now('Waiting', `${LIMITER}.waiting`),
        now('Keys', `${LIMITER}.keys`),
        now('Blocked', `${LIMITER}.keys.blocked`),
        now('Fallbacks', `${LIMITER}.fallbacks`),
        now('Errors', `${LIMITER}.errors`),
        now('Outages', `${LIMITER}.store.outages`),
      ],
    },
  ],
};

const breakers: SectionSpec = {
  id: 'breakers',
  title: 'Circuit breakers',
  needs: [`${BREAKER}.state`],
  charts: [
    chartBy('Calls by result', `${BREAKER}.calls`, 'result'),
    {
      title: 'Breakers by state',
      format: count,
      lines: (figures) =>
        linesBy(figures, 'value', `${BREAKER}.state`, 'state').map(([name, many]) => [words(name), many]),
    },
  ],
  tables: [
    {
      title: 'Breakers by name',
      rows: `${BREAKER}.state`,
      labels: NAME,
      columns: [
        state('State', `${BREAKER}.state`, { open: 'bad', forcedOpen: 'bad', halfOpen: 'warn' }),
        rate('Successes', `${BREAKER}.calls`, { result: 'success' }),
        rate('Failures', `${BREAKER}.calls`, { result: 'failure' }),
        rate('Timeouts', `${BREAKER}.calls`, { result: 'timeout' }),
        rate('Rejected', `${BREAKER}.calls`, { result: 'rejected' }),
        now('Running', `${BREAKER}.calls.active`),
        now('Waiting', `${BREAKER}.calls.waiting`),
        now('Fallbacks', `${BREAKER}.fallbacks`),
        now('Opened', `${BREAKER}.opened`),
      ],
    },
  ],
};

export const TRAFFIC: readonly SectionSpec[] = [routes, limiters, breakers];
