import { createServer } from 'node:http';

/** What every service sends for a route. */
const answer = ({ id }, params) => ({
  route: id,
  id: params.id ?? null,
  note: params.note ?? null,
  ok: true,
});

/** Without a framework one does it like this. */
function sendJson(res, value) {
  const body = JSON.stringify(value);
  res.writeHead(200, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
  });
  res.end(body);
}

/** Resolves to the port. */
const listen = (server) =>
  new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(server.address().port));
  });

async function keelsonRouter(routes, respond) {
  const { OptimizedRouter } = await import('keelson');
  const router = new OptimizedRouter();
  for (const route of routes) {
    router.addRoute(route.path, {
      id: route.id,
      method: route.method,
      handler: (req, res) => respond(res, answer(route, req.params)),
    });
  }
  return router;
}

const respondAsExpress = (res, value) => res.json(value);

/** Each starts the same service and resolves to its port. */
export const servers = {
  async 'keelson, node:http'(routes) {
    const router = await keelsonRouter(routes, sendJson);
    return listen(createServer(router.handle));
  },
  async 'keelson in Express 5'(routes) {
    const { default: express } = await import('express');
    const router = await keelsonRouter(routes, respondAsExpress);
    const app = express();
    app.use(router.handle);
    return listen(createServer(app));
  },
  async 'Express 5'(routes) {
    const { default: express } = await import('express');
    const app = express();
    for (const route of routes) {
      const register = app[route.method.toLowerCase()].bind(app);
      register(route.path, (req, res) => respondAsExpress(res, answer(route, req.params)));
    }
    return listen(createServer(app));
  },
  async Fastify(routes) {
    const { default: fastify } = await import('fastify');
    const app = fastify();
    for (const route of routes) {
      app.route({
        method: route.method,
        url: route.path,
        handler: (request, reply) => {
          reply.send(answer(route, request.params));
        },
      });
    }
    await app.listen({ port: 0, host: '127.0.0.1' });
    return app.server.address().port;
  },
  async 'find-my-way, node:http'(routes) {
    const { default: findMyWay } = await import('find-my-way');
    const router = findMyWay();
    for (const route of routes) {
      router.on(route.method, route.path, (_req, res, params) => sendJson(res, answer(route, params)));
    }
    return listen(createServer((req, res) => router.lookup(req, res)));
  },
};
