import { random } from '../harness/zipf.mjs';

/** What stands in the place of a parameter, by its name; of the kind and the length that such values have. */
const VALUES = [
  [/^(id|number|post)$/, (uniform) => String(1 + Math.floor(uniform() ** 3 * 9_999_999))],
  [/^year$/, (uniform) => String(1990 + Math.floor(uniform() * 40))],
  [/^month$/, (uniform) => String(1 + Math.floor(uniform() * 12)).padStart(2, '0')],
  [/^(sha|ref|order|access_token)$/, (uniform) => hex(uniform, 40)],
  [/^(client_id|leaf)$/, (uniform) => hex(uniform, 20)],
  [/./, (uniform) => `${WORDS[Math.floor(uniform() * WORDS.length)]}-${hex(uniform, 3)}`],
];
const WORDS = 'octocat linguist hello-world zed mark.otto kubernetes x ferris spoon-knife Ada_Lovelace'.split(
  ' ',
);

const hex = (uniform, length) =>
  Array.from({ length }, () => Math.floor(uniform() * 16).toString(16)).join('');

const fitting = (name, uniform) => VALUES.find(([names]) => names.test(name))[1](uniform);

/** A path that the route serves, its parameters filled in by `value(name)`. */
const fill = (route, value) => route.path.replaceAll(/:(\w+)(\(.*?\))?/g, (_, name) => value(name));

/** Requests that are served, equally many for each route. */
export function hits(routes, perRoute, value = fitting) {
  const uniform = random(11);
  return routes.flatMap((route) =>
    Array.from({ length: perRoute }, () => ({
      method: route.method,
      path: fill(route, (name) => value(name, uniform)),
    })),
  );
}

/** The plainest possible matcher: tells whether any route serves a request. */
function matcher(routes) {
  const patterns = routes.map(({ method, path }) => ({ method, parts: path.split('/') }));
  return ({ method, path }) => {
    const segments = path.split('/');
    const fits = (part, i) => part === segments[i] || (part[0] === ':' && segments[i] !== '');
    return patterns.some(
      (pattern) =>
        pattern.method === method && pattern.parts.length === segments.length && pattern.parts.every(fits),
    );
  };
}

/** Four ways to miss: nothing of the sort, a longer path, a shorter one, another last character. */
const SPOILS = [
  (path) => `/${[...path].reverse().join('').replaceAll('/', '')}/x1`,
  (path, uniform) => `${path}/${hex(uniform, 6)}`,
  (path) => path.slice(0, path.lastIndexOf('/')) || '/nothing',
  (path) => `${path.slice(0, -1)}${path.endsWith('~') ? '!' : '~'}`,
];

/** Requests that no route serves, each made of one that some route does. */
export function misses(routes, perRoute) {
  const uniform = random(13);
  const serves = matcher(routes);
  return hits(routes, perRoute).flatMap(({ method, path }) =>
    SPOILS.map((spoil) => ({ method, path: spoil(path, uniform) })).filter((request) => !serves(request)),
  );
}

/** Paths of about two kilobytes, all of it in their parameters. */
export const longValues = (routes) =>
  routes
    .filter(({ names }) => names.length > 0)
    .flatMap((route) =>
      hits([route], 1, (_name, uniform) => hex(uniform, Math.ceil(2000 / route.names.length))),
    );

/** Values that are percent escapes from end to end, of several bytes each. */
export const escapedValues = (routes) =>
  hits(routes, 4, (_name, uniform) => {
    const text = Array.from({ length: 8 }, () => String.fromCodePoint(0x3b1 + Math.floor(uniform() * 24)));
    return encodeURIComponent(`${text.join('')} €`);
  });

/** Two kilobytes of slashes: alone, with a character between them, and the latter below what there is. */
export function manySlashes(routes) {
  const prefixes = routes.filter(({ names }) => names.length > 1).map((route) => fill(route, () => 'x'));
  return prefixes.flatMap((prefix, i) => [
    { method: 'GET', path: '/'.repeat(1900 + i) },
    { method: 'GET', path: '/x'.repeat(950 + i) },
    { method: 'GET', path: `${prefix}${'/x'.repeat(950 + i)}` },
  ]);
}

/** Paths that look right up to their last segment, whichever way is tried. */
export function deadEnds() {
  const uniform = random(17);
  return Array.from({ length: 512 }, () => ({
    method: 'GET',
    path: `/${Array.from({ length: 6 }, () => (uniform() < 0.9 ? 'a' : 'b')).join('/')}/dead`,
  }));
}
