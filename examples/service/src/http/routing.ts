import { MalformedPathError, OptimizedRouter } from '../lib/utilities/routing/router';
import { badRequest, HttpError } from './errors';

/**
 * A router to mount in Express. What it has no route for goes on to whatever Express has next, and what fails to
 * Express's error handler.
 *
 * @param report is told of errors that come when the answer is out already
 */
export function createRouter(report: (error: unknown) => void): OptimizedRouter {
  const router = new OptimizedRouter({
    // Express's own router does both.
    autoHead: true,
    autoOptions: true,
    onNotFound: (_req, _res, next) => next(),
    onMethodNotAllowed: (req, res, next, methods) => {
      const allow = methods.join(', ');
      res.set('Allow', allow);
      next(new HttpError(405, 'METHOD_NOT_ALLOWED', `${req.method} is none of the methods here: ${allow}`));
    },
    onError: (error, _req, _res, next) => {
      next(error instanceof MalformedPathError ? badRequest('The path has a malformed escape') : error);
    },
  });
  router.on('error', report);
  return router;
}

/** What a router has measured, by route, of those that were asked for. */
export function routeReports(router: OptimizedRouter) {
  const rounded = (value: number) => Math.round(value * 1000) / 1000;
  const asked = router.metrics().routes.filter(({ requests }) => requests > 0);
  return asked.map(({ methods, path, requests, inFlight, byStatusClass, latency }) => ({
    route: `${methods.join(', ')} ${path}`,
    requests,
    inFlight,
    byStatus: Object.fromEntries(Object.entries(byStatusClass).filter(([, count]) => count > 0)),
    latencyMs: { p50: rounded(latency.p50), p99: rounded(latency.p99), max: rounded(latency.max) },
  }));
}
