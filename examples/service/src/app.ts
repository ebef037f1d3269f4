import { join } from 'node:path';
import express, { type Express } from 'express';
import type { Context } from './context';
import { errorHandler, unknownRoute } from './http/errors';
import { measure, requestTimeout, securityHeaders } from './http/middleware';
import { adminRoutes, operationsRoutes } from './routes/operations';
import { pageRoutes } from './routes/page';
import { productRoutes, stockWatchRoute } from './routes/products';
import { sessionRoutes } from './routes/sessions';

const PUBLIC = join(__dirname, '..', 'public');

/** The Express application over a context; it starts nothing by itself. */
export function createApp(context: Context): Express {
  const app = express();
  app.disable('x-powered-by');
  app.use(measure(context.metrics));
  app.use(securityHeaders);
  app.use('/assets', express.static(PUBLIC, { index: false, fallthrough: false }));
  app.use('/api', stockWatchRoute(context));
  app.use(requestTimeout(context.requestTimers, context.requestTimeout));
  app.use(operationsRoutes(context));
  app.use('/api', express.json({ limit: '16kb' }), productRoutes(context), sessionRoutes(context));
  app.use('/api/admin', adminRoutes(context));
  app.use(pageRoutes(context));
  app.use(unknownRoute);
  app.use(errorHandler(context.report));
  return app;
}
