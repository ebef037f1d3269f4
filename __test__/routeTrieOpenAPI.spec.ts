import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type OpenAPIDocument, RouteTrie } from 'keelson';
import { root, runNode, temporaryFolder } from './support/process';
import { NOOP, route, thrownBy, trieOf } from './support/routes';

const info = { title: 'Service', version: '1.0.0' };

/** What the schema of OpenAPI finds wrong with each document. */
async function validated(documents: unknown[]): Promise<Array<{ version: string; errors: unknown[] }>> {
  const { folder, remove } = temporaryFolder();
  try {
    const file = join(folder, 'documents.json');
    writeFileSync(file, JSON.stringify(documents));
    const script = join(root, '__test__', 'support', 'validateOpenAPI.mjs');
    const { code, stdout, stderr } = await runNode([script, file]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return JSON.parse(stdout);
  } finally {
    remove();
  }
}

/** What the schema cannot say: ids are unique, and parameters are those of the path, each once. */
function checkParameters(document: OpenAPIDocument): void {
  const ids: string[] = [];
  const templates = Object.keys(document.paths);
  expect(new Set(templates.map((path) => path.replace(/\{[^}]*\}/g, '{}'))).size).toBe(templates.length);
  for (const [path, item] of Object.entries(document.paths)) {
    const names = [...path.matchAll(/\{([^}]*)\}/g)].map(([, name]) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { operationId, parameters = [] } of Object.values(item)) {
      ids.push(operationId);
      expect(parameters.map(({ name }) => name)).toStrictEqual(names);
      for (const { schema } of parameters)
        if (schema.pattern) expect(() => new RegExp(schema.pattern!, 'u')).not.toThrow();
    }
  }
  expect(new Set(ids).size).toBe(ids.length);
}

const HARD = [
  '/',
  '/users',
  '/users/:id',
  '/users/:id(\\d+)/posts/:post?',
  '/:a-:b/:c.d',
  '/v:major(\\d+).:minor(\\d+)',
  '/:name::cancel',
  '/a::b',
  '/files/*',
  '/deep/*/mid/*/*rest',
  '/:wildcard1/*',
  '/*/:wildcard2/*',
  '/class/:x([)/(]+)/y',
  '/braces/{id}/:id',
  '/é/漢/:ü',
  '/:__proto__/:constructor',
  '/optional/:a?/:b?',
  '/users/:name/again',
];

function hardTrie(): RouteTrie {
  const trie = trieOf(HARD);
  trie.insert('/users/:other', { ...route('change', ['PUT', 'PATCH', 'PURGE']) });
  trie.insert('/users/:number(\\d+)', route('number', ['GET', 'DELETE']));
  trie.insert('/users', route('users-again', 'GET', { host: 'h.one' }));
  trie.insert('/any', route('any', '*'));
  trie.insert('/any', route('any', 'GET'));
  for (const id of ['same', 'same', 'same_get', 'same_get_2'])
    trie.insert(`/same/${Math.random()}`, route(id, ['GET', 'POST']));
  return trie;
}

test('is valid OpenAPI 3.1, whatever the routes', async () => {
  const server = [{ url: 'https://example.com/v1' }];
  const tries = [new RouteTrie(), hardTrie(), trieOf(['/a', '/a/'], { ignoreTrailingSlash: false })];
  const documents = tries.map((trie) => trie.toOpenAPI({ info, servers: server }));
  for (const document of documents) checkParameters(document);
  const broken = { openapi: '3.1.1', info: {}, paths: {} };
  const found = await validated([...documents, broken]);
  expect(found.slice(0, -1)).toStrictEqual(tries.map(() => ({ version: '3.1', errors: [] })));
  // The validator does look.
  expect(found.at(-1)?.errors).not.toStrictEqual([]);
});

test('has a path for each variant, with parameters in order and regexes as patterns', () => {
  const trie = new RouteTrie();
  trie.insert('/users/:id(\\d+)/:page?', route('users', ['GET', 'post']));
  trie.insert('/f/:a-:b/*', route('files', 'DELETE'));
  trie.insert('/r/*rest', route('rest'));
  const parameter = (name: string, pattern?: string) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string', ...(pattern && { pattern }) },
  });
  const responses = { default: { description: 'The response' } };
  const id = parameter('id', '^(?:\\d+)$');
  expect(trie.toOpenAPI({ info })).toStrictEqual({
    openapi: '3.1.1',
    info,
    paths: {
      '/users/{id}/{page}': {
        get: { operationId: 'users', parameters: [id, parameter('page')], responses },
        post: { operationId: 'users_post', parameters: [id, parameter('page')], responses },
      },
      '/users/{id}': {
        get: { operationId: 'users_get', parameters: [id], responses },
        post: { operationId: 'users_post_2', parameters: [id], responses },
      },
      '/f/{a}-{b}/{wildcard1}': {
        delete: {
          operationId: 'files',
          parameters: [parameter('a'), parameter('b'), parameter('wildcard1')],
          responses,
        },
      },
      '/r/{rest}': { get: { operationId: 'rest', parameters: [parameter('rest')], responses } },
    },
  });
});

test('paths that differ in names or regexes only are one, and say so', () => {
  const { paths } = hardTrie().toOpenAPI({ info });
  expect(Object.keys(paths).filter((path) => /^\/users\/\{\w+\}$/.test(path))).toStrictEqual(['/users/{id}']);
  expect(paths['/users/{id}']?.get?.['x-keelson-also']).toStrictEqual(['/users/:number(\\d+)']);
  expect(Object.keys(paths['/users/{id}']!).sort()).toStrictEqual(['delete', 'get', 'patch', 'put']);
  expect(paths['/users/{id}']?.delete?.parameters?.[0]).toMatchObject({
    name: 'id',
    schema: { pattern: '^(?:\\d+)$' },
  });
  expect(paths['/users']?.get?.['x-keelson-also']).toStrictEqual(['/users']);
});

test("the method '*' stands for all that OpenAPI knows, and others are left out", () => {
  const trie = new RouteTrie();
  trie.insert('/any', route('any', '*'));
  trie.insert('/purge', route('purge', 'PURGE'));
  const { paths } = trie.toOpenAPI({ info });
  expect(Object.keys(paths)).toStrictEqual(['/any']);
  expect(Object.keys(paths['/any']!).sort()).toStrictEqual(
    ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'].sort(),
  );
  checkParameters(trie.toOpenAPI({ info }));
});

test('info and servers are passed on', () => {
  const more = { ...info, description: 'All of it', 'x-own': 1 };
  const servers = [{ url: '/' }];
  const document = new RouteTrie().toOpenAPI({ info: more, servers });
  expect(document).toStrictEqual({ openapi: '3.1.1', info: more, servers, paths: {} });
});

test.each<[unknown, RegExp]>([
  [undefined, /"options" must be an object/],
  [{}, /"options.info" must be an object/],
  [{ info: null }, /"options.info" must be an object/],
  [{ info: { version: '1' } }, /"options.info.title" must be a string/],
  [{ info: { title: 'a', version: 1 } }, /"options.info.version" must be a string/],
  [{ info, paths: {} }, /"options.paths" is not an option/],
  [{ info, servers: 'https://a.example' }, /"options.servers" must be a list/],
  [{ info, servers: [{}] }, /"options.servers\[0\].url" must be a string/],
])('refuses %j', (options, message) => {
  const trie = trieOf(['/a']);
  trie.insert('/b', { id: 'b', method: 'GET', handler: NOOP });
  const error = thrownBy(() => trie.toOpenAPI(options as any));
  expect(error).toMatchObject({ code: 'ERR_KEELSON_INVALID_ARGUMENT' });
  expect(error?.message).toMatch(message);
});

// It was named after the one for any method, and said that OpenAPI could not tell them apart.
test.each([[['*', 'GET']], [['GET', '*']]])(
  'a route for the method itself is its operation (%j)',
  (methods) => {
    const trie = new RouteTrie();
    for (const method of methods) trie.insert('/x', route(method, method));
    const item = trie.toOpenAPI({ info }).paths['/x'];
    expect(item?.get).toMatchObject({ operationId: 'GET' });
    expect(item?.get).not.toHaveProperty('x-keelson-also');
    expect(item?.put?.operationId).toBe('*');
  },
);

// The number after a repeated id was looked for from 2 on each time: 10,000 took eight seconds.
test('ids that repeat are numbered', () => {
  const trie = new RouteTrie();
  for (let i = 0; i < 10_000; i++) trie.insert(`/u${i}`, route('list'));
  const { paths } = trie.toOpenAPI({ info });
  const ids = Object.values(paths).map((item) => item.get?.operationId);
  expect(new Set(ids).size).toBe(10_000);
  expect(ids.slice(0, 3)).toEqual(['list', 'list_get', 'list_get_2']);
});

test('names of parameters have no braces', () => {
  expect(Object.keys(trieOf(['/:a}b']).toOpenAPI({ info }).paths)).toEqual(['/{a_b}']);
});
