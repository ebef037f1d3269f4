import { Router } from 'express';
import type { Context } from '../context';
import { notFound } from '../http/errors';
import { requireAdmin } from '../http/session';

/** Health, readiness and metrics. */
export function operationsRoutes(context: Context): Router {
  const { catalogue, metrics } = context;
  const router = Router();

  router.get('/health', (_req, res) => {
    res.json({ status: 'ok', uptimeSeconds: Math.round(process.uptime()) });
  });

  router.get('/ready', (_req, res) => {
    const ready = catalogue.refreshedAt !== undefined && !context.stopping;
    res.status(ready ? 200 : 503).json({ ready });
  });

  router.get('/api/metrics', (_req, res) => {
    res.json({ ...metrics.snapshot(), products: catalogue.size, refreshedAt: catalogue.refreshedAt ?? null });
  });

  return router;
}

/** What an admin sees of timers and caches, and may do to them. */
export function adminRoutes(context: Context): Router {
  const { catalogue, sessions } = context;
  const caches = { products: catalogue.views, searches: catalogue.searches, sessions: sessions.cache };
  const router = Router();
  router.use((req, _res, next) => {
    requireAdmin(req, sessions);
    next();
  });

  router.get('/timers', (_req, res) => {
    res.json({
      background: context.jobTimers.getStats(),
      requests: context.requestTimers.getStats(),
      jobs: context.jobs.reports(),
      held: context.stockWatch.waiting,
    });
  });

  router.get('/caches', (_req, res) => {
    const stats = Object.entries(caches).map(([name, cache]) => [name, cache.getStats()]);
    res.json(Object.fromEntries(stats));
  });

  router.delete('/caches/:name', (req, res) => {
    const { name } = req.params;
    // Sessions are in a cache too, but to lose them is to log everybody out.
    if (name !== 'products' && name !== 'searches') throw notFound(`cache "${name}" that may be cleared`);
    caches[name].clear();
    res.status(204).end();
  });

  router.post('/refresh', async (_req, res) => {
    await catalogue.refresh();
    if (!res.headersSent) res.json({ products: catalogue.size, refreshedAt: catalogue.refreshedAt });
  });

  return router;
}
