import type { Express } from 'express';
import type { Context } from '../context';
import { metrics } from '../lib/utilities/operations/operations';

/** What orchestrators, Prometheus and autoscalers ask for. */
export function addProbes(app: Express, { health, scaling, metricsToken: token }: Context): void {
  // The service has a /health of its own.
  app.use(health.middleware({ health: false }));
  app.get('/metrics', metrics.handler(token === undefined ? {} : { token }));
  if (scaling !== undefined) app.get('/replicas', scaling.handler());
}
