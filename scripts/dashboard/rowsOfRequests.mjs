import { lines, states, table } from './panels.mjs';
import { min, quantile, rate, share, state, sum } from './promql.mjs';

const NAMED = ['job', 'name'];
const BY_ROUTE = ['job', 'http_route', 'http_request_method'];
const ROUTE = '{{http_request_method}} {{http_route}}';
const DURATION = 'keelson_router_request_duration_seconds';
const RESPONSES = 'keelson_router_responses_total';
const DOWN_OR_UP = [
  ['down', 'red'],
  ['up', 'green'],
];

const routes = [
  lines('Requests', 'By route.', { unit: 'reqps', stack: true }, [
    rate('keelson_router_requests_total', BY_ROUTE),
    ROUTE,
  ]),
  lines('Answers 5xx', 'Share of the answers of each route.', { unit: 'percentunit', warn: [0.01] }, [
    share(RESPONSES, BY_ROUTE, 'status="5xx"'),
    ROUTE,
  ]),
  lines(
    'Duration, all routes',
    'From the call of a handler to the end of its answer.',
    { unit: 's' },
    [quantile(0.5, DURATION, ['job']), '{{job}} p50'],
    [quantile(0.99, DURATION, ['job']), '{{job}} p99'],
  ),
  lines('Duration, p99 by route', 'One request in a hundred takes longer.', { unit: 's' }, [
    quantile(0.99, DURATION, BY_ROUTE),
    ROUTE,
  ]),
  lines('Answers', 'By class of status.', { unit: 'reqps', stack: true }, [
    rate(RESPONSES, ['job', 'status']),
    '{{job}} {{status}}',
  ]),
  lines('Under way', 'Attempts of handlers that are not over.', {}, [
    sum('keelson_router_requests_active', BY_ROUTE),
    ROUTE,
  ]),
  lines(
    'Errors and retries',
    'Attempts that failed, by cause, and requests that were repeated.',
    { unit: 'ops' },
    [rate('keelson_router_errors_total', ['job', 'cause']), '{{job}} {{cause}}'],
    [rate('keelson_router_retries_total', ['job']), '{{job}} retried'],
  ),
  lines(
    'Ejected handlers',
    'That the balancer leaves out since they fail, and how often it comes to that.',
    {},
    [sum('keelson_router_handlers_ejected', BY_ROUTE), `${ROUTE} out`],
    [rate('keelson_router_ejections_total', BY_ROUTE), `${ROUTE} a second`],
  ),
  lines('No handler', 'Requests that no route answers, by reason.', { unit: 'reqps' }, [
    rate('keelson_router_unrouted_total', ['job', 'reason']),
    '{{job}} {{reason}}',
  ]),
  table('Routes', 'As of now.', {
    Requests: { unit: 'reqps', expression: rate('keelson_router_requests_total', BY_ROUTE) },
    '5xx': { unit: 'percentunit', expression: share(RESPONSES, BY_ROUTE, 'status="5xx"') },
    p50: { unit: 's', expression: quantile(0.5, DURATION, BY_ROUTE) },
    p99: { unit: 's', expression: quantile(0.99, DURATION, BY_ROUTE) },
  }),
];

const limiter = [
  lines('Checks', 'By what came of them.', { unit: 'ops', stack: true }, [
    rate('keelson_rate_limiter_checks_total', [...NAMED, 'result']),
    '{{job}} {{name}} {{result}}',
  ]),
  lines(
    'Without Redis',
    'Checks that needed none, by why, and such as it did not decide, by who did.',
    { unit: 'ops' },
    [rate('keelson_rate_limiter_shortcuts_total', [...NAMED, 'reason']), '{{job}} {{name}} {{reason}}'],
    [
      rate('keelson_rate_limiter_fallbacks_total', [...NAMED, 'decision']),
      '{{job}} {{name}} fallback {{decision}}',
    ],
  ),
  lines(
    'Not counted',
    'Requests that were skipped or that nobody could be named for, and such as were given back.',
    { unit: 'ops' },
    [rate('keelson_rate_limiter_unchecked_total', [...NAMED, 'reason']), '{{job}} {{name}} {{reason}}'],
    [rate('keelson_rate_limiter_refunds_total', NAMED), '{{job}} {{name}} refunded'],
  ),
  states('Store', 'Whether it answers; the fallback decides while it does not.', DOWN_OR_UP, [
    min('keelson_rate_limiter_store_up', NAMED),
    '{{job}} {{name}}',
  ]),
  lines(
    'Store, errors',
    'Calls of Redis that failed, by cause, and how often the store went down.',
    { unit: 'ops' },
    [rate('keelson_rate_limiter_errors_total', [...NAMED, 'cause']), '{{job}} {{name}} {{cause}}'],
    [rate('keelson_rate_limiter_store_outages_total', NAMED), '{{job}} {{name}} outages'],
  ),
  lines(
    'Keys and waiting',
    'Keys in memory, those of them that are known to be denied, and calls that wait for their permit.',
    {},
    [sum('keelson_rate_limiter_keys', NAMED), '{{job}} {{name}} keys'],
    [sum('keelson_rate_limiter_keys_blocked', NAMED), '{{job}} {{name}} blocked'],
    [sum('keelson_rate_limiter_waiting', NAMED), '{{job}} {{name}} waiting'],
  ),
];

const breakers = [
  states(
    'State',
    'The worst of each process. A breaker that is open refuses calls; half-open it probes.',
    [
      ['closed', 'green'],
      ['half-open', 'yellow'],
      ['open', 'red'],
      ['forced open', 'purple'],
    ],
    [
      state(
        'keelson_breaker_state',
        ['job', 'instance', 'name'],
        ['closed', 'halfOpen', 'open', 'forcedOpen'],
      ),
      '{{job}} {{instance}} {{name}}',
    ],
  ),
  lines('Calls', 'By what came of them.', { unit: 'ops', stack: true }, [
    rate('keelson_breaker_calls_total', [...NAMED, 'result']),
    '{{job}} {{name}} {{result}}',
  ]),
  lines(
    'Failures',
    'Share of calls that failed or took too long, of those that were let through.',
    { unit: 'percentunit', max: 1 },
    [
      `${rate('keelson_breaker_calls_total', NAMED, 'result=~"failure|timeout"')} / (${rate('keelson_breaker_calls_total', NAMED, 'result=~"success|failure|timeout"')} > 0)`,
      '{{job}} {{name}}',
    ],
  ),
  lines(
    'Fallbacks and retries',
    'Calls that a fallback answered, and attempts after the first.',
    { unit: 'ops' },
    [rate('keelson_breaker_fallbacks_total', NAMED), '{{job}} {{name}} fallbacks'],
    [rate('keelson_breaker_retries_total', NAMED), '{{job}} {{name}} retries'],
  ),
  lines('Openings', 'How often breakers opened.', { unit: 'ops' }, [
    rate('keelson_breaker_opened_total', NAMED),
    '{{job}} {{name}}',
  ]),
  lines(
    'Under way',
    'Calls that run, and that wait for room.',
    {},
    [sum('keelson_breaker_calls_active', NAMED), '{{job}} {{name}} running'],
    [sum('keelson_breaker_calls_waiting', NAMED), '{{job}} {{name}} waiting'],
  ),
];

export const requests = [
  { title: 'Routes', isOpen: true, panels: routes },
  { title: 'Rate limiters', panels: limiter },
  { title: 'Circuit breakers', panels: breakers },
];
