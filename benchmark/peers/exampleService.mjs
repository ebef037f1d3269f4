import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { service } from '../../scripts/service.mjs';

const require = createRequire(join(service, 'package.json'));
/** A module of the service as it was built. */
const built = (name) => require(`./dist/${name}.js`);

/** Of each kind of answer that is the same each time and for everybody. */
export function exampleRequests() {
  const { PRODUCTS } = built('data/products');
  const paths = PRODUCTS.flatMap(({ id, name }) => [
    `/api/products/${encodeURIComponent(id)}`,
    `/api/search?q=${encodeURIComponent(name)}`,
  ]);
  return [
    ...paths,
    '/api/products?page=1&pageSize=20',
    '/api/products?sort=price',
    '/api/categories',
    '/ready',
  ].map((path) => ({ method: 'GET', path }));
}

function makeService() {
  const { Service } = built('service');
  const { TimerManager } = built('lib/utilities/performance/timerManager');
  const requestTimers = new TimerManager({ maxTimers: 50_000 });
  // Nobody is to be refused here.
  const limits = { requestLimit: 999_999_999 };
  return new Service({ jobTimers: new TimerManager(), requestTimers, limits });
}

/** The routes that the service gives to its router, with their middleware and handlers. */
function routesOf(context) {
  const routes = [];
  const recorder = { addRoute: (path, route) => routes.push({ middleware: [], ...route, path }) };
  const limit = built('http/middleware').requestTimeout(context.requestTimers, context.requestTimeout);
  built('routes/operations').addOperationsRoutes(recorder, context, limit);
  built('routes/products').addProductRoutes(recorder, context, limit);
  built('routes/sessions').addSessionRoutes(recorder, context, limit);
  built('routes/page').addPageRoutes(recorder, context, limit);
  return routes;
}

/** What the service does for each request before it is routed. */
function before({ metrics }) {
  const { measure, securityHeaders } = built('http/middleware');
  return [measure(metrics), securityHeaders];
}

function expressApp(context) {
  const express = require('express');
  const { errorHandler, unknownRoute } = built('http/errors');
  const app = express();
  app.disable('x-powered-by');
  for (const middleware of before(context)) app.use(middleware);
  app.use('/assets', express.static(join(service, 'public'), { index: false, fallthrough: false }));
  for (const { path, method, middleware, handler } of routesOf(context)) {
    app[method.toLowerCase()](path, ...middleware, handler);
  }
  app.use(unknownRoute);
  app.use(errorHandler(context.report));
  return app;
}

/** Runs what Express runs, one after the other; none of the requests here fails. */
function runAll(list, req, res, at = 0) {
  if (at < list.length) list[at](req, res, () => runAll(list, req, res, at + 1));
}

/** The handlers want Express's requests and responses, which Fastify's raw ones are made into as Express does it. */
async function fastifyApp(context) {
  const { default: fastify } = await import('fastify');
  const { request, response } = require('express')();
  const app = fastify();
  const first = before(context);
  for (const { path, method, middleware, handler } of routesOf(context)) {
    const list = [...first, ...middleware, handler];
    app.route({
      method,
      url: path,
      handler: ({ raw: req, params }, reply) => {
        const res = reply.raw;
        reply.hijack();
        Object.setPrototypeOf(req, request);
        Object.setPrototypeOf(res, response);
        Object.assign(req, { res, params });
        res.req = req;
        runAll(list, req, res);
      },
    });
  }
  return app;
}

/** The service with the two routes of large bodies as they are without keelson. */
function withPlainBodies(context) {
  const express = require('express');
  const app = express();
  // A hash of each answer is not what is compared.
  app.disable('etag');
  let imported = null;
  app.post('/api/import', express.json({ limit: '32mb' }), (req, res) => {
    imported = req.body;
    res.json({ imported: true });
  });
  app.get('/api/export', (_req, res) => {
    res.json(imported);
  });
  app.use(built('app').createApp(context));
  return app;
}

/** Resolves to the port. */
const listen = (app) =>
  new Promise((resolve) => {
    const server = createServer(app);
    server.listen(0, '127.0.0.1', () => resolve(server.address().port));
  });

/** Each starts the example service on a router and resolves to its port. */
export const exampleServices = {
  async 'keelson, as it is'() {
    const own = makeService();
    await own.start(0, '127.0.0.1');
    return own.server.address().port;
  },
  async "Express's own router"() {
    const { context } = makeService();
    await context.catalogue.refresh();
    return listen(expressApp(context));
  },
  async Fastify() {
    const { context } = makeService();
    await context.catalogue.refresh();
    const app = await fastifyApp(context);
    await app.listen({ port: 0, host: '127.0.0.1' });
    return app.server.address().port;
  },
};

/**
 * Each starts the example service, whose large bodies are parsed and made by keelson or not, and resolves to its
 * port. POST /api/import takes a document of JSON, GET /api/export gives the one that was taken last.
 */
export const bodyServices = {
  keelson: exampleServices['keelson, as it is'],
  async 'JSON.parse'() {
    const { context } = makeService();
    await context.catalogue.refresh();
    return listen(withPlainBodies(context));
  },
};
