import type { OptimizedRouter } from '../../optimizedRouter.js';
import { counter, durations, gauge } from '../family.js';
import type { Tell } from '../told.js';

const ROUTER = 'keelson.router';
const ROUTE = ['name', 'http.route', 'http.request.method'];
const BY_ROUTE = { labels: ROUTE };
const REQUESTS = counter(
  `${ROUTER}.requests`,
  '{request}',
  'Requests that a route was given first.',
  BY_ROUTE,
);
const ANSWERS = counter(`${ROUTER}.responses`, '{response}', 'Answers of routes, by class of status.', {
  labels: [...ROUTE, 'status'],
});
const ERRORS = counter(`${ROUTER}.errors`, '{attempt}', 'Attempts that failed, by cause.', {
  labels: [...ROUTE, 'cause'],
});
const RETRIES = counter(`${ROUTER}.retries`, '{request}', 'Requests that were repeated.', BY_ROUTE);
const IN_FLIGHT = gauge(`${ROUTER}.requests.active`, '{request}', 'Attempts under way.', BY_ROUTE);
const EJECTED = gauge(`${ROUTER}.handlers.ejected`, '{handler}', 'Handlers out of service.', BY_ROUTE);
const EJECTIONS = counter(
  `${ROUTER}.ejections`,
  '{ejection}',
  'How often handlers were taken out.',
  BY_ROUTE,
);
const LATENCY = durations(
  `${ROUTER}.request.duration`,
  'From the call of a handler to its answer.',
  BY_ROUTE,
);
const UNANSWERED = counter(`${ROUTER}.unrouted`, '{request}', 'Requests without a handler, by reason.', {
  labels: ['name', 'reason'],
});
const REASONS = {
  notFound: 'not_found',
  methodNotAllowed: 'method_not_allowed',
  malformed: 'malformed',
  automaticOptions: 'options',
} as const;

export function readRouter(router: OptimizedRouter, tell: Tell): void {
  const { routes, totals } = router.metrics();
  for (const route of routes) {
    const at = { 'http.route': route.path, 'http.request.method': route.methods.join(',') };
    tell(REQUESTS, route.requests, at);
    for (const [status, count] of Object.entries(route.byStatusClass))
      tell(ANSWERS, count, { ...at, status });
    for (const [cause, count] of Object.entries(route.errors)) tell(ERRORS, count, { ...at, cause });
    tell(RETRIES, route.retries, at);
    tell(IN_FLIGHT, route.inFlight, at);
    tell(EJECTED, Number(route.ejected), at);
    tell(EJECTIONS, route.ejections, at);
    tell(LATENCY, route.latency, at);
  }
  for (const [total, reason] of Object.entries(REASONS))
    tell(UNANSWERED, totals[total as keyof typeof REASONS], { reason });
}
