import { join } from 'node:path';
import express, { type Express } from 'express';
import type { Context } from './context';
import { accessLog } from './http/accessLog';
import { errorHandler, unknownRoute } from './http/errors';
import { measure, requestTimeout, securityHeaders, threadHeader } from './http/middleware';
import { createRouter } from './http/routing';
import { addProbes } from './operations/probes';
import { addAdminRoutes, addOperationsRoutes } from './routes/operations';
import { addPageRoutes } from './routes/page';
import { addProductRoutes } from './routes/products';
import { addSessionRoutes } from './routes/sessions';
import { addSupplyRoutes } from './routes/supplies';

const PUBLIC = join(__dirname, '..', 'public');

/** The Express application over a context; it starts nothing by itself. */
export function createApp(context: Context): Express {
  const limit = requestTimeout(context.requestTimers, context.requestTimeout);
  const admin = createRouter(context.report);
  admin.use(limit);
  addAdminRoutes(admin, context);
  const router = createRouter(context.report);
  addOperationsRoutes(router, context, limit);
  addProductRoutes(router, context, limit);
  addSessionRoutes(router, context, limit);
  addPageRoutes(router, context, limit);
  addSupplyRoutes(router, context);

  const app = express();
  app.disable('x-powered-by');
  app.set('trust proxy', context.trustedProxies);
  if (context.logger !== undefined) app.use(accessLog(context.logger));
  app.use(measure(context.metrics, context.scaling));
  app.use(securityHeaders);
  if (context.thread !== undefined) app.use(threadHeader(context.thread));
  // What watches over the service is never limited.
  addProbes(app, context);
  app.use('/assets', express.static(PUBLIC, { index: false, fallthrough: false }));
  app.use(context.limits.ofRequests);
  app.use('/api/admin', admin.handle);
  app.use(router.handle);
  app.use(unknownRoute);
  app.use(errorHandler(context.report));
  return app;
}
