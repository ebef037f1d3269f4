const ignore = () => {};
/** As hono does it for a parameter that a handler asks for. */
const decode = (value) => (value.includes('%') ? decodeURIComponent(value) : value);

const readers = new Map();

/**
 * What a handler does: reads its parameters by their names. Generated, so that the names are constants in its code
 * as they are in a handler's; one for all routes with the same names.
 */
function readerOf(names, decoded) {
  const key = `${decoded} ${names}`;
  if (!readers.has(key)) {
    const value = (name) => (decoded ? `decode(params.${name})` : `params.${name}`);
    const sum = names.map((name) => `${value(name)}.length`).join(' + ') || '0';
    readers.set(key, new Function('decode', `return (params) => ${sum}`)(decode));
  }
  return readers.get(key);
}

/** Handlers for the routes of a table. With `decoded` they decode what they read, for routers that leave it raw. */
const withReaders = (routes, decoded) =>
  routes.map((route) => ({ ...route, handler: ignore, read: readerOf(route.names, decoded) }));

const tally = (route, params) => route.number + route.read(params);

/** As c.req.param() does it: the matcher gives the places of the parameters in the regular expression's match. */
function honoParams(places, match) {
  const params = {};
  for (const key of Object.keys(places)) {
    params[key] = match[places[key]];
  }
  return params;
}

/** hono's syntax for a parameter with a regular expression. */
const honoPath = (path) => path.replaceAll(/\((.*?)\)/g, '{$1}');

const hono = (create) => ({
  raw: true,
  build(routes) {
    const router = create();
    for (const route of routes) {
      router.add(route.method, honoPath(route.path), route);
    }
    return router;
  },
  find(router, method, path) {
    const found = router.match(method, path);
    return found[0] === undefined || found[0].length === 0 ? null : found;
  },
  routeOf: (found) => found[0][0][0],
  paramsOf(found) {
    const params = found[0][0][1];
    // TrieRouter gives the parameters themselves, and no match.
    return found.length === 1 ? params : honoParams(params, found[1]);
  },
});

const findMyWay = async (finish) => {
  const { default: create } = await import('find-my-way');
  return {
    build(routes) {
      // Longer parameters than 100 characters do not match by default; what it is costs nothing.
      const router = create({ maxParamLength: 10_000 });
      for (const route of routes) {
        router.on(route.method, route.path, ignore, route);
      }
      return finish(router);
    },
    find: (router, method, path) => router.find(method, path),
    routeOf: (found) => found.store,
    paramsOf: (found) => found.params,
  };
};

const rou3 = async (finish, find) => {
  const { addRoute, createRouter, findRoute } = await import('rou3');
  const { compileRouter } = await import('rou3/compiler');
  return {
    raw: true,
    build(routes) {
      const router = createRouter();
      for (const route of routes) {
        addRoute(router, route.method, route.path, route);
      }
      return finish(router, compileRouter);
    },
    find: find(findRoute),
    routeOf: (found) => found.data,
    paramsOf: (found) => found.params,
  };
};

const keelson = async () => {
  const { RouteTrie } = await import('keelson');
  return {
    build(routes) {
      const router = new RouteTrie();
      for (const route of routes) {
        router.insert(route.path, route);
      }
      return router;
    },
    find: (router, method, path) => router.search(path, method),
    routeOf: (found) => found.handler,
    paramsOf: (found) => found.params,
  };
};

/** Where the parameters are in the path, and how long: nothing is made of them. */
function readOffsets(router, method, path) {
  const found = router.match(path, method);
  if (found === null) return -1;
  let sum = found.handler.number;
  for (let i = 0; i < found.length; i++) {
    sum += found.end(i) - found.start(i);
  }
  return sum;
}

/**
 * The routers as their users have them. `find` gives what the router's own method gives, or nothing for a miss;
 * `routeOf` and `paramsOf` take it apart. `raw` ones leave percent escapes to who reads a parameter.
 */
export const routers = {
  keelson,
  'keelson match()': async () => ({
    ...(await keelson()),
    find: (router, method, path) => router.match(path, method),
    paramsOf: (found) => found.params(),
    look: readOffsets,
  }),
  'find-my-way': () => findMyWay((router) => router),
  'find-my-way compiled': async () => ({
    ...(await findMyWay((router) => router.compile())),
    // Its large functions run six times as long in the beginning as when V8 has done with them.
    warmUp: 4000,
  }),
  async memoirist() {
    const { Memoirist } = await import('memoirist');
    return {
      raw: true,
      build(routes) {
        const router = new Memoirist();
        for (const route of routes) {
          router.add(route.method, route.path, route);
        }
        return router;
      },
      find: (router, method, path) => router.find(method, path),
      routeOf: (found) => found.store,
      paramsOf: (found) => found.params,
    };
  },
  async 'hono RegExpRouter'() {
    const { RegExpRouter } = await import('hono/router/reg-exp-router');
    return hono(() => new RegExpRouter());
  },
  async 'hono TrieRouter'() {
    const { TrieRouter } = await import('hono/router/trie-router');
    return hono(() => new TrieRouter());
  },
  async 'hono SmartRouter'() {
    const { RegExpRouter } = await import('hono/router/reg-exp-router');
    const { SmartRouter } = await import('hono/router/smart-router');
    const { TrieRouter } = await import('hono/router/trie-router');
    return hono(() => new SmartRouter({ routers: [new RegExpRouter(), new TrieRouter()] }));
  },
  rou3: () =>
    rou3(
      (router) => router,
      (findRoute) => (router, method, path) => findRoute(router, method, path),
    ),
  'rou3 compiled': () =>
    rou3(
      (router, compileRouter) => compileRouter(router),
      () => (match, method, path) => match(method, path),
    ),
  async 'koa-tree-router'() {
    const { default: KoaTreeRouter } = await import('koa-tree-router');
    return {
      raw: true,
      build(routes) {
        const router = new KoaTreeRouter();
        for (const route of routes) {
          router.on(route.method, route.path, route);
        }
        return router;
      },
      find(router, method, path) {
        const found = router.find(method, path);
        return found.handle === null ? null : found;
      },
      routeOf: (found) => found.handle[0],
      // As its middleware does it.
      paramsOf(found) {
        const params = {};
        found.params.forEach(({ key, value }) => {
          params[key] = value;
        });
        return params;
      },
    };
  },
};

export const routerNotes = [
  "Every contestant reads each parameter by its name, as a handler does; what a router gives in another form is made into an object first, as the router's own framework does it (hono RegExpRouter, koa-tree-router).",
  'keelson and find-my-way decode percent escapes and cut off a query; the others leave both to their frameworks. keelson also forgives doubled and trailing slashes, as it does by default.',
];

const REFUSES = {
  'hono RegExpRouter':
    'throws UnsupportedPathError for a parameter beside a static segment (/gists/:id beside /gists/public)',
  'koa-tree-router': 'throws for the same, as a conflict',
};

/** Notes for a table that two of the routers do not take. */
export const refusals = Object.entries(REFUSES).map(([name, why]) => `${name} is missing here: it ${why}.`);

/** `prepare` gives the routes their handlers. `look` finds the route and reads its parameters, giving a number; `answer` tells all that was found. */
function finish({ build, find, routeOf, paramsOf, raw = false, warmUp, look }, { escapes = false } = {}) {
  return {
    warmUp,
    prepare: (routes) => withReaders(routes, escapes && raw),
    build,
    look:
      look ??
      ((router, method, path) => {
        const found = find(router, method, path);
        return found === null || found === undefined ? -1 : tally(routeOf(found), paramsOf(found));
      }),
    answer(router, method, path) {
      const found = find(router, method, path);
      if (found === null || found === undefined) return null;
      const { id, names } = routeOf(found);
      const params = paramsOf(found) ?? {};
      const value = (name) => (escapes && raw ? decode(params[name]) : params[name]);
      return { id, params: Object.fromEntries(names.map((name) => [name, value(name)])) };
    },
  };
}

/**
 * A benchmark's contestants: `measure` makes the sampler out of a peer.
 *
 * @param {string[]} names the first one is the subject
 * @param {{ escapes?: boolean }} [options] whether parameters hold escapes, which `raw` routers' handlers must decode
 */
export const routerContestants = (names, measure, options) =>
  Object.fromEntries(
    names.map((name) => [name, async () => measure(finish(await routers[name](), options))]),
  );
