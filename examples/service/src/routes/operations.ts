import type { Request, RequestHandler, Response } from 'express';
import type { Context } from '../context';
import { notFound } from '../http/errors';
import { routeReports } from '../http/routing';
import { requireAdmin } from '../http/session';
import { getJsonWorkerPool } from '../lib/utilities/performance/jsonWorkerPool';
import type { OptimizedRouter } from '../lib/utilities/routing/router';

/** Health, readiness and metrics. */
export function addOperationsRoutes(router: OptimizedRouter, context: Context, limit: RequestHandler): void {
  const { catalogue, database, limits, metrics } = context;
  const middleware = [limit];

  router.addRoute('/health', {
    id: 'health',
    method: 'GET',
    middleware,
    handler: (_req: Request, res: Response) => {
      const state = database.isAway ? { status: 'degraded', database: 'away' } : { status: 'ok' };
      res.json({ ...state, uptimeSeconds: Math.round(process.uptime()) });
    },
  });

  router.addRoute('/ready', {
    id: 'readiness',
    method: 'GET',
    middleware,
    handler: (_req: Request, res: Response) => {
      const { isAway } = database;
      const isUp = catalogue.refreshedAt !== undefined && !context.starting && !context.stopping;
      const ready = isUp && !isAway;
      res.status(ready ? 200 : 503).json({ ready, ...(isAway && { database: 'away' }) });
    },
  });

  router.addRoute('/api/metrics', {
    id: 'metrics',
    method: 'GET',
    middleware,
    handler: (_req: Request, res: Response) => {
      const { size, refreshedAt = null } = catalogue;
      const routes = routeReports(router);
      res.json({
        ...metrics.snapshot(),
        ...{ routes, products: size, refreshedAt },
        database: database.state(),
        limits: limits.state(),
        carrier: context.delivery.breaker.state,
        caches: { products: catalogue.views.getStats(), searches: catalogue.searches.getStats() },
        thread: context.thread,
      });
    },
  });
}

/** What an admin sees of timers, caches, the JSON pool, the database, limits and the carrier, and may do to them. Everything in this router is for admins. */
export function addAdminRoutes(router: OptimizedRouter, context: Context): void {
  const { catalogue, sessions } = context;
  const caches = { products: catalogue.views, searches: catalogue.searches, sessions };
  router.use((req, _res, next) => {
    requireAdmin(req, sessions);
    next();
  });

  router.addRoute('/timers', {
    id: 'timers',
    method: 'GET',
    handler: (_req: Request, res: Response) => {
      res.json({
        background: context.jobTimers.getStats(),
        requests: context.requestTimers.getStats(),
        jobs: context.jobs.reports(),
        held: context.stockWatch.waiting,
      });
    },
  });

  router.addRoute('/caches', {
    id: 'caches',
    method: 'GET',
    handler: (_req: Request, res: Response) => {
      const stats = Object.entries(caches).map(([name, cache]) => [name, cache.getStats()]);
      res.json(Object.fromEntries(stats));
    },
  });

  router.addRoute('/json', {
    id: 'JSON pool',
    method: 'GET',
    handler: (_req: Request, res: Response) => {
      res.json(getJsonWorkerPool().metrics());
    },
  });

  router.addRoute('/database', {
    id: 'database',
    method: 'GET',
    handler: (_req: Request, res: Response) => {
      const { database } = context;
      res.json({ ...database.state(), metrics: database.pool.metrics() });
    },
  });

  router.addRoute('/limits', {
    id: 'limits',
    method: 'GET',
    handler: (_req: Request, res: Response) => {
      res.json(context.limits.details());
    },
  });

  router.addRoute('/carrier', {
    id: 'carrier',
    method: 'GET',
    handler: (_req: Request, res: Response) => {
      const { breaker } = context.delivery;
      res.json({ ...breaker.metrics(), lately: breaker.stats });
    },
  });

  router.addRoute('/caches/:name', {
    id: 'clear cache',
    method: 'DELETE',
    handler: (req: Request<{ name: string }>, res: Response) => {
      const { name } = req.params;
      // Sessions are in a cache too, but to lose them is to log everybody out.
      if (name !== 'products' && name !== 'searches') throw notFound(`cache "${name}" that may be cleared`);
      caches[name].clear();
      res.status(204).end();
    },
  });

  router.addRoute('/refresh', {
    id: 'refresh',
    method: 'POST',
    handler: async (_req: Request, res: Response) => {
      await catalogue.refresh();
      if (!res.headersSent) res.json({ products: catalogue.size, refreshedAt: catalogue.refreshedAt });
    },
  });
}
