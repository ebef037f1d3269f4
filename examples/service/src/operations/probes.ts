import type { Express } from 'express';
import type { Context } from '../context';
import { metrics } from '../lib/utilities/operations/operations';

/** What orchestrators, Prometheus, autoscalers and operators ask for. */
export function addProbes(app: Express, context: Context): void {
  const { dashboard, health, scaling, metricsToken: token } = context;
  // The service has a /health of its own.
  app.use(health.middleware({ health: false }));
  app.use(dashboard.middleware());
  app.get('/metrics', metrics.handler(token === undefined ? {} : { token }));
  if (scaling !== undefined) app.get('/replicas', scaling.handler());
}
