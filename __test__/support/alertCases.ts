// For each alert of monitoring/prometheus series on which it fires, and such as are near to it on which nothing does. Values are in
// promtool's notation, a minute apart: `5x3` is 5 and thrice again, `0+2x3` is 0, 2, 4, 6. All are of one process of the job `api`.

export interface AlertCase {
  readonly alert: string;
  /** Minutes after which it is looked at. */
  readonly at: number;
  /** Those of the alert, beside `job`, and `instance` unless it is of the whole job. */
  readonly labels: Readonly<Record<string, string>>;
  readonly isOfJob?: boolean;
  readonly fires: Readonly<Record<string, string>>;
  readonly quiet: Readonly<Record<string, string>>;
}

type Series = Readonly<Record<string, string>>;
type Rest = Pick<AlertCase, 'fires' | 'quiet'> & Partial<AlertCase>;

const of = (alert: string, labels: Series, rest: Rest): AlertCase => ({ alert, at: 30, labels, ...rest });

/** One that fires while a gauge has a value. */
const gauge = (alert: string, series: string, [fires, quiet]: readonly [number, number], labels: Series) =>
  of(alert, labels, { fires: { [series]: `${fires}x30` }, quiet: { [series]: `${quiet}x30` } });

/** One that fires where something is counted at all. */
const counter = (alert: string, series: string, labels: Series) =>
  of(alert, labels, { fires: { [series]: '0+1x30' }, quiet: { [series]: '7x30' } });

const TIMERS = { name: 'sessions' };
const CACHE = { name: 'users' };
const POOL = { db_client_connection_pool_name: 'main' };
const LOG = { destination: 'app.log' };
const ROUTE = { http_route: '/pay' };
const text = (labels: Series, more = '') =>
  `{${Object.entries(labels)
    .map(([name, value]) => `${name}="${value}"`)
    .join(',')}${more}}`;

const PROCESS: readonly AlertCase[] = [
  gauge('KeelsonEventLoopLate', 'nodejs_eventloop_lag_p99_seconds{thread="0"}', [0.4, 0.2], { thread: '0' }),
  gauge('KeelsonEventLoopSaturated', 'nodejs_eventloop_utilization_ratio{thread="0"}', [0.99, 0.9], {
    thread: '0',
  }),
  of(
    'KeelsonHeapNearLimit',
    { thread: '1' },
    {
      fires: {
        'nodejs_heap_size_used_bytes{thread="1"}': '95x30',
        'nodejs_heap_size_limit_bytes{thread="1"}': '100x30',
      },
      quiet: {
        'nodejs_heap_size_used_bytes{thread="1"}': '85x30',
        'nodejs_heap_size_limit_bytes{thread="1"}': '100x30',
      },
    },
  ),
  of(
    'KeelsonHeapGrowing',
    { thread: '0' },
    {
      at: 400,
      fires: {
        'nodejs_heap_size_used_bytes{thread="0"}': '1000+10x400',
        'nodejs_heap_size_limit_bytes{thread="0"}': '10000x400',
      },
      // As much is allocated, and collected again.
      quiet: {
        'nodejs_heap_size_used_bytes{thread="0"}': Array(81).fill('1000 2500 4000 5500 7000').join(' '),
        'nodejs_heap_size_limit_bytes{thread="0"}': '10000x400',
      },
    },
  ),
  of(
    'KeelsonMemoryGrowing',
    {},
    {
      at: 600,
      fires: { process_resident_memory_bytes: '1000+2x600', process_start_time_seconds: '0x600' },
      // It has just been started, and fills its caches.
      quiet: { process_resident_memory_bytes: '1000+2x600', process_start_time_seconds: '20000x600' },
    },
  ),
];

const pending = `keelson_timers_pending${text(TIMERS, ',kind="timeout"')}`;
const TIMER: readonly AlertCase[] = [
  of('KeelsonTimersGrowing', TIMERS, {
    at: 120,
    fires: { [pending]: '500+50x120' },
    quiet: { [pending]: '4000+1x120' },
  }),
  counter('KeelsonTimerLimitCrossed', `keelson_timers_limit_crossings_total${text(TIMERS)}`, TIMERS),
  counter('KeelsonTimersStale', `keelson_timers_stale_total${text(TIMERS)}`, TIMERS),
  counter('KeelsonTimerCallbacksFail', `keelson_timers_failures_total${text(TIMERS)}`, TIMERS),
];

/** The hit rate falls from 90 to 10 of a hundred; and where nobody looks anything up, it does not matter. */
const collapse = (alert: string, lookups: string): AlertCase =>
  of(alert, CACHE, {
    at: 300,
    isOfJob: true,
    fires: {
      [lookups + text(CACHE, ',result="hit"')]: '0+900x240 216000+100x60',
      [lookups + text(CACHE, ',result="miss"')]: '0+100x240 24000+900x60',
    },
    quiet: {
      [lookups + text(CACHE, ',result="hit"')]: '0+9x240 2160+1x60',
      [lookups + text(CACHE, ',result="miss"')]: '0+1x240 240+9x60',
    },
  });
const failing = (alert: string, prefix: string): AlertCase =>
  of(alert, CACHE, {
    isOfJob: true,
    fires: {
      [`${prefix}_load_failures_total${text(CACHE)}`]: '0+2x30',
      [`${prefix}_loads_total${text(CACHE)}`]: '0+10x30',
    },
    quiet: {
      [`${prefix}_load_failures_total${text(CACHE)}`]: '0+2x30',
      [`${prefix}_loads_total${text(CACHE)}`]: '0+100x30',
    },
  });
const CACHES: readonly AlertCase[] = [
  collapse('KeelsonCacheHitRateCollapsed', 'keelson_cache_lookups_total'),
  collapse('KeelsonSharedCacheHitRateCollapsed', 'keelson_shared_cache_lookups_total'),
  failing('KeelsonCacheLoadsFail', 'keelson_cache'),
  failing('KeelsonTieredCacheLoadsFail', 'keelson_tiered_cache'),
  counter('KeelsonSharedCacheRejects', `keelson_shared_cache_rejections_total${text(CACHE)}`, CACHE),
  gauge('KeelsonTieredCacheRedisDown', `keelson_tiered_cache_redis_up${text(CACHE)}`, [0, 1], CACHE),
  gauge('KeelsonTieredCacheStale', `keelson_tiered_cache_staleness_seconds${text(CACHE)}`, [90, 1.5], CACHE),
  counter('KeelsonTieredCacheWritesFail', `keelson_tiered_cache_store_failures_total${text(CACHE)}`, CACHE),
];

const JSONS = { name: 'documents' };
const JSON_POOL: readonly AlertCase[] = [
  of('KeelsonJsonQueueGrowing', JSONS, {
    fires: { [`keelson_json_tasks_queued${text(JSONS)}`]: '0+20x30' },
    // A backlog that is worked off.
    quiet: { [`keelson_json_tasks_queued${text(JSONS)}`]: '900-20x30' },
  }),
  of('KeelsonJsonErrors', JSONS, {
    isOfJob: true,
    fires: {
      [`keelson_json_errors_total${text(JSONS, ',cause="timeout"')}`]: '0+1x30',
      [`keelson_json_calls_total${text(JSONS, ',way="task"')}`]: '0+10x30',
    },
    // What clients send is their affair.
    quiet: {
      [`keelson_json_errors_total${text(JSONS, ',cause="syntax"')}`]: '0+5x30',
      [`keelson_json_calls_total${text(JSONS, ',way="task"')}`]: '0+10x30',
    },
  }),
];

const responses = (status: string) => `keelson_router_responses_total${text(ROUTE, `,status="${status}"`)}`;
const ROUTES: readonly AlertCase[] = [
  of('KeelsonRouteErrorsFast', ROUTE, {
    at: 40,
    isOfJob: true,
    // One in ten, not for long enough for the slow one.
    fires: { [responses('2xx')]: '0+1000x28 28900+900x11', [responses('5xx')]: '0x28 100+100x11' },
    // They are over.
    quiet: { [responses('2xx')]: '0+1000x40', [responses('5xx')]: '0+20x5 100x35' },
  }),
  of('KeelsonRouteErrorsSlow', ROUTE, {
    at: 400,
    isOfJob: true,
    fires: { [responses('2xx')]: '0+1000x400', [responses('5xx')]: '0+8x400' },
    quiet: { [responses('2xx')]: '0+1000x400', [responses('5xx')]: '0+1x400' },
  }),
  gauge('KeelsonHandlersEjected', `keelson_router_handlers_ejected${text(ROUTE)}`, [1, 0], ROUTE),
];

const BREAKER = { name: 'billing' };
const breaker = (states: Series) =>
  Object.fromEntries(
    Object.entries(states).map(([state, values]) => [
      `keelson_breaker_state${text(BREAKER, `,state="${state}"`)}`,
      values,
    ]),
  );
const GUARDS: readonly AlertCase[] = [
  gauge('KeelsonLimiterStoreDown', `keelson_rate_limiter_store_up${text(BREAKER)}`, [0, 1], BREAKER),
  of('KeelsonBreakerOpen', BREAKER, {
    // It probes again and again.
    fires: breaker({ open: Array(16).fill('1 0').join(' '), halfOpen: Array(16).fill('0 1').join(' ') }),
    quiet: breaker({ open: '0x20 1x2 0x8', halfOpen: '0x30', closed: '1x20 0x2 1x8', forcedOpen: '0x30' }),
  }),
];

const connections = (state: string) =>
  `db_client_connection_count${text(POOL, `,db_client_connection_state="${state}"`)}`;
const waits = (le: string) => `db_client_connection_wait_time_seconds_bucket${text(POOL, `,le="${le}"`)}`;
const POOLS: readonly AlertCase[] = [
  of('KeelsonPoolExhausted', POOL, {
    fires: {
      [`db_client_connection_pending_requests${text(POOL)}`]: '3x30',
      [`db_client_connection_max${text(POOL)}`]: '10x30',
      [connections('used')]: '10x30',
      [connections('idle')]: '0x30',
    },
    // Acquires wait for connections that are being opened.
    quiet: {
      [`db_client_connection_pending_requests${text(POOL)}`]: '3x30',
      [`db_client_connection_max${text(POOL)}`]: '10x30',
      [connections('used')]: '4x30',
      [connections('idle')]: '0x30',
    },
  }),
  of('KeelsonPoolWaitsLong', POOL, {
    isOfJob: true,
    fires: { [waits('1')]: '0+90x30', [waits('2.5')]: '0+100x30', [waits('+Inf')]: '0+100x30' },
    quiet: { [waits('1')]: '0+100x30', [waits('2.5')]: '0+100x30', [waits('+Inf')]: '0+100x30' },
  }),
  counter('KeelsonPoolTimeouts', `db_client_connection_timeouts_total${text(POOL)}`, POOL),
  counter('KeelsonPoolLeaks', `keelson_pool_leaks_total${text(POOL)}`, POOL),
  counter('KeelsonPoolCannotOpen', `keelson_pool_open_failures_total${text(POOL)}`, POOL),
];

const OTHERS: readonly AlertCase[] = [
  counter('KeelsonLogDropped', `keelson_log_dropped_total${text(LOG, ',cause="full"')}`, {
    ...LOG,
    cause: 'full',
  }),
  counter('KeelsonLogWriteFailures', `keelson_log_write_failures_total${text(LOG)}`, LOG),
  of('KeelsonLogWaiting', LOG, {
    fires: { [`keelson_log_waiting${text(LOG)}`]: '0+200x30' },
    quiet: { [`keelson_log_waiting${text(LOG)}`]: '6000-100x30' },
  }),
  gauge('KeelsonScalingRedisDown', 'keelson_scaling_redis_up{name="web"}', [0, 1], { name: 'web' }),
  counter('KeelsonHealthFailing', 'keelson_health_checks_total{result="timeout"}', {}),
  gauge('KeelsonDrainStuck', 'keelson_lifecycle_state{state="draining"}', [1, 0], {}),
];

export const ALERT_CASES: readonly AlertCase[] = [
  ...[PROCESS, TIMER, CACHES, JSON_POOL, ROUTES, GUARDS, POOLS, OTHERS].flat(),
];
