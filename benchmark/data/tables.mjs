import { random } from '../harness/zipf.mjs';
import { githubApi } from './github-api.mjs';

/** Of the usual size in benchmarks of routers, and of their usual shapes. */
const SMALL = [
  ['GET', '/user'],
  ['GET', '/user/comments'],
  ['GET', '/user/avatar'],
  ['GET', '/user/lookup/username/:username'],
  ['GET', '/user/lookup/email/:address'],
  ['GET', '/event/:id'],
  ['GET', '/event/:id/comments'],
  ['POST', '/event/:id/comments'],
  ['POST', '/map/:location/events'],
  ['GET', '/status'],
  ['GET', '/very/deeply/nested/route/hello/there'],
];

/** Numbers beside names at the same place, in the syntax that find-my-way and rou3 share with keelson. */
const REGEX = [
  ['GET', '/articles/:id(\\d+)'],
  ['GET', '/articles/:slug'],
  ['GET', '/authors/:id(\\d+)/posts/:post(\\d+)'],
  ['GET', '/orders/:order([0-9a-f]+)'],
  ['GET', '/archive/:year(\\d{4})/:month(\\d{2})'],
];

const RESOURCES = ['users', 'sessions', 'orders', 'products', 'invoices', 'carts', 'reviews'];

/** A small service: seven resources with seven routes each, and a health check. */
const SERVICE = [
  ['GET', '/health'],
  ...RESOURCES.flatMap((resource) => [
    ['GET', `/api/${resource}`],
    ['POST', `/api/${resource}`],
    ['GET', `/api/${resource}/:id`],
    ['PUT', `/api/${resource}/:id`],
    ['DELETE', `/api/${resource}/:id`],
    ['GET', `/api/${resource}/:id/notes`],
    ['GET', `/api/${resource}/:id/notes/:note`],
  ]),
];

/** All 64 mixtures of static and parameter in six segments: a path that fits none leads into every one of them. */
const DEAD_ENDS = Array.from({ length: 64 }, (_, mixture) => {
  const segments = Array.from({ length: 6 }, (_, i) => (mixture & (1 << i) ? `:p${i}` : 'a'));
  return ['GET', `/${segments.join('/')}/end`];
});

const SYLLABLES = 'ac bel cor dan est fil gan hub ing jor kel lum mer nod ort pal qui rev sol tan'.split(' ');

/** Made-up words of two to four syllables, no two alike. */
function words(count, uniform) {
  const made = new Set();
  while (made.size < count) {
    const syllables = Array.from({ length: 2 + Math.floor(uniform() * 3) }, () => {
      return SYLLABLES[Math.floor(uniform() * SYLLABLES.length)];
    });
    made.add(syllables.join(''));
  }
  return [...made];
}

/** 50 areas with 50 resources each, and four routes for each resource, of which one to three have parameters. */
function generate() {
  const uniform = random(7);
  const [areas, resources, actions] = [words(50, uniform), words(50, uniform), words(20, uniform)];
  const any = (list) => list[Math.floor(uniform() * list.length)];
  return areas.flatMap((area) =>
    resources.flatMap((resource) => {
      const base = `/api/${area}/${resource}`;
      return [
        ['GET', `${base}`],
        [any(['GET', 'GET', 'PUT', 'DELETE']), `${base}/:id`],
        ['GET', any([`${base}/${any(actions)}`, `${base}/:id/${any(actions)}/:part`])],
        [any(['GET', 'POST']), `${base}/:id/${any(actions)}/:part/${any(actions)}/:leaf`],
      ];
    }),
  );
}

/** The path with braces for its parameters, which sort after letters, those with a regular expression first. */
const rank = (path) => path.replaceAll(/:(\w+)(\(.*?\))?/g, (_, _name, regex) => (regex ? '{' : '}'));

/**
 * The routes of a table, the more specific ones first: hono's routers run the handler that was registered first,
 * all others find the more specific one in any order.
 */
function table(endpoints) {
  return endpoints
    .map(([method, path]) => ({
      method,
      path,
      names: Array.from(path.matchAll(/:(\w+)/g), ([, name]) => name),
    }))
    .sort((a, b) => (rank(a.path) < rank(b.path) ? -1 : 1))
    .map((route, i) => ({ id: `r${i + 1}`, number: i + 1, ...route }));
}

export const tables = {
  small: () => table(SMALL),
  github: () => table(githubApi),
  static: () => table(githubApi.filter(([, path]) => !path.includes(':'))),
  '10k': () => table(generate()),
  regex: () => table(REGEX),
  service: () => table(SERVICE),
  'dead-ends': () => table(DEAD_ENDS),
};
