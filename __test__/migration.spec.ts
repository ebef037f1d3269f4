import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import findMyWay from 'find-my-way';
import { createPool } from 'generic-pool';
import { LRUCache } from 'lru-cache';
import Opossum from 'opossum';
import pino from 'pino';
import * as rateLimiterFlexible from 'rate-limiter-flexible';
import { root } from './support/process';
import { compile, PATIENCE, type Programs } from './support/programs';
import { type Snippet, snippets, textOf } from './support/snippets';

const GUIDE = 'docs/migration.md';

/** Says that a package does not have a name; or a type, of whose members names have to be. */
type Check = ((name: string) => boolean) | string;

const membersOf = (object: object) => (name: string) => name in object;

/** Names that the sources of a package have in some place, such as after `options.`. */
function inSource(peer: string, pattern: (name: string) => string): (name: string) => boolean {
  const folders = ['.', 'lib'].map((folder) => join(root, 'node_modules', peer, folder));
  const files = folders.flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)));
  const sources = files.filter((name) => name.endsWith('.js')).map((name) => readFileSync(name, 'utf8'));
  return (name) => sources.some((source) => new RegExp(pattern(name)).test(source));
}
const option = (name: string) => `\\b(?:options|opts)\\.${name}\\b`;
const text = (name: string) => `['"]${name}['"]`;

const opossum = new Opossum(async () => {});
afterAll(() => opossum.shutdown());

/** By the heads of the first two columns of a table: what the names in them have to be members of. */
const TABLES: Record<string, [theirs: Check, ours: Check]> = {
  '`LRUCache` option | `BoundedLRUCache` option': [
    "import('lru-cache').LRUCache.OptionsBase<string, string, unknown>",
    'keelson.BoundedLRUCacheOptions',
  ],
  '`LRUCache` member | `BoundedLRUCache` member': [
    membersOf(new LRUCache({ max: 1 })),
    'keelson.BoundedLRUCache',
  ],
  '`find-my-way` option | option of `RouteTrie` or `OptimizedRouter`': [
    inSource('find-my-way', option),
    'keelson.RouteTrieOptions | keelson.OptimizedRouterOptions',
  ],
  '`find-my-way` method | method of `RouteTrie` or `OptimizedRouter`': [
    membersOf(findMyWay()),
    'keelson.RouteTrie | keelson.OptimizedRouter',
  ],
  '`RateLimiterRedis` option | `DistributedRateLimiter` option': [
    "ConstructorParameters<typeof import('rate-limiter-flexible').RateLimiterRedis>[0]",
    'keelson.RateLimiterConfig',
  ],
  '`RateLimiterRedis` method | `DistributedRateLimiter` method': [
    membersOf(rateLimiterFlexible.RateLimiterRedis.prototype),
    'keelson.DistributedRateLimiter',
  ],
  '`RateLimiterRes` member | `RateLimitResult` member': [
    membersOf(new rateLimiterFlexible.RateLimiterRes()),
    'keelson.RateLimitResult',
  ],
  '`rate-limiter-flexible` export | of `DistributedRateLimiter`': [
    membersOf(rateLimiterFlexible),
    'keelson.RateLimiterConfig | keelson.DistributedRateLimiter',
  ],
  '`pino` option | `WorkerAsyncLogger` option': [
    "import('pino').LoggerOptions",
    'keelson.WorkerAsyncLoggerOptions',
  ],
  '`pino` logger member | `WorkerAsyncLogger` member': [
    membersOf(pino({}, { write: () => {} })),
    'keelson.WorkerAsyncLogger',
  ],
  '`pino` export | `WorkerAsyncLogger` option': [membersOf(pino), 'keelson.WorkerAsyncLoggerOptions'],
  '`generic-pool` factory | `ConnectionPool` factory': [
    "import('generic-pool').Factory<object>",
    'keelson.ConnectionFactory<object>',
  ],
  '`generic-pool` option | `ConnectionPool` option': [
    inSource('generic-pool', option),
    'keelson.ConnectionPoolOptions',
  ],
  '`generic-pool` member | member of `ConnectionPool`, its leases or stats': [
    membersOf(createPool({ create: async () => ({}), destroy: async () => {} }, { autostart: false })),
    'keelson.ConnectionPool<object> | keelson.Lease<object> | keelson.ConnectionPoolStats',
  ],
  '`generic-pool` event | `ConnectionPool` event': [
    inSource('generic-pool', text),
    'keelson.ConnectionPoolEvents',
  ],
  '`opossum` option | `CircuitBreaker` option': [
    inSource('opossum', option),
    'keelson.CircuitBreakerOptions',
  ],
  '`opossum` member | `CircuitBreaker` member': [membersOf(opossum), 'keelson.CircuitBreaker'],
  '`opossum` event | `CircuitBreaker` event': [
    inSource('opossum', (name) => `emit\\('${name}'`),
    'keelson.CircuitBreakerEvents',
  ],
  '`opossum` error code | `KeelsonError` code': [
    inSource('opossum', text),
    'Record<keelson.KeelsonErrorCode, 0>',
  ],
};

interface Row {
  table: string;
  theirs: string[];
  ours: string[];
}

const namesIn = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name!);

/** The rows of all tables about members; that of the packages, which has none, is left out. */
function rowsOf(markdown: string): Row[] {
  const rows: Row[] = [];
  for (const [lines] of markdown.matchAll(/(?:^\|.*\n)+/gm)) {
    const [head, , ...body] = lines
      .trimEnd()
      .split('\n')
      .map((line) => line.split('|').map((cell) => cell.trim()));
    const table = `${head![1]} | ${head![2]}`;
    if (table === 'package | version') continue;
    for (const [, theirs, ours] of body) rows.push({ table, theirs: namesIn(theirs!), ours: namesIn(ours!) });
  }
  return rows;
}

const rows = rowsOf(textOf(GUIDE));
const tables = Object.keys(TABLES);

/** A program that compiles if all names are members of a type; each error tells the name and the type. */
function typeProgram(): string {
  const checks = rows.flatMap(({ table, theirs, ours }) =>
    ([theirs, ours] as const).flatMap((names, side) => {
      const check = TABLES[table]?.[side];
      if (typeof check !== 'string') return [];
      return names.map((name) => `has<${check}>()('${name}');`);
    }),
  );
  return `import type * as keelson from 'keelson';
    // Of a union those of each; without an index signature, which would take any.
    type Names<T> = T extends unknown ? keyof { [K in keyof T as string extends K ? never : K]: 0 } : never;
    const has = <T,>() => (_name: Names<T>): void => {};
    ${checks.join('\n')}`;
}

let compiled: Programs;
beforeAll(async () => {
  compiled = await compile({ 'members.mts': typeProgram() });
}, PATIENCE);
afterAll(() => compiled.remove());

test('each table is one that is known, and each that is known is there', () => {
  expect(new Set(rows.map(({ table }) => table))).toEqual(new Set(tables));
});

test('each row has a name of theirs, and no name twice in a table', () => {
  for (const table of tables) {
    const names = rows.filter((row) => row.table === table).map(({ theirs }) => theirs);
    expect(names.filter((theirs) => theirs.length === 0)).toEqual([]);
    expect(names.flat()).toEqual([...new Set(names.flat())]);
  }
});

test.each(tables)('%s: what is looked up at run time is there', (table) => {
  for (const side of [0, 1] as const) {
    const check = TABLES[table]![side];
    if (typeof check === 'string') continue;
    const names = rows
      .filter((row) => row.table === table)
      .flatMap(({ theirs, ours }) => [theirs, ours][side]!);
    expect(names.filter((name) => !check(name))).toEqual([]);
    expect(check('noSuchName')).toBe(false);
  }
});

test('what is a member of a type is in the typings', () => {
  expect(compiled.complaints).toBe('');
});

test(
  'a name that is no member of a type would not compile',
  async () => {
    const wrong = await compile({
      'wrong.mts': `${typeProgram()}\nhas<keelson.CircuitBreakerEvents>()('opens');`,
    });
    wrong.remove();
    expect(wrong.complaints).toMatch(/^wrong\.mts.*'"opens"' is not assignable/);
  },
  PATIENCE,
);

test('each package has the same program before and after', () => {
  const peers = ['lru-cache', 'find-my-way', 'rate-limiter-flexible', 'pino', 'generic-pool', 'opossum'];
  const programs = snippets.filter(({ place }) => place.startsWith(GUIDE));
  expect(programs).toHaveLength(2 * peers.length);
  const imports = ({ source }: Snippet, name: string) => source.includes(` from '${name}';`);
  for (const [index, peer] of peers.entries()) {
    const [before, after] = programs.slice(2 * index) as [Snippet, Snippet];
    expect([imports(before, peer), imports(before, 'keelson'), imports(after, 'keelson')]).toEqual([
      true,
      false,
      true,
    ]);
    // One block of text tells what both print, which guides.spec.ts compares.
    expect(after.output).toBe(before.output);
  }
});
