import { invalid, options as named, string } from '../validate.js';
import { UNCONSTRAINED } from './constraints.js';
import type { Entry } from './lookup.js';
import { regexAt } from './pattern.js';
import { ANY, type Live } from './table.js';
import type { RouteHandler } from './types.js';

export interface OpenAPIOptions {
  info: { title: string; version: string; description?: string; [key: string]: unknown };
  servers?: Array<{ url: string; description?: string; [key: string]: unknown }>;
}

export interface OpenAPIParameter {
  name: string;
  in: 'path';
  required: true;
  schema: { type: 'string'; pattern?: string };
}

export interface OpenAPIOperation {
  operationId: string;
  parameters?: OpenAPIParameter[];
  responses: { default: { description: string } };
  /** Patterns that OpenAPI cannot tell from this path: constrained by host, version or another regex. */
  'x-keelson-also'?: string[];
}

export interface OpenAPIDocument {
  openapi: '3.1.1';
  info: OpenAPIOptions['info'];
  servers?: NonNullable<OpenAPIOptions['servers']>;
  paths: Record<string, Record<string, OpenAPIOperation>>;
}

/** Methods that OpenAPI has a member for; routes of others are left out. */
const OPERATIONS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'];

interface Template {
  path: string;
  parameters: OpenAPIParameter[];
}

/** The routes as an OpenAPI 3.1 document. Of a pattern with optional parameters there is a path for each variant. */
export function openAPI(routes: Iterable<Live<RouteHandler>>, options: OpenAPIOptions): OpenAPIDocument {
  const { info, servers } = named<OpenAPIOptions>('options', options, ['info', 'servers']);
  if (typeof info !== 'object' || info === null) invalid('options.info', 'an object', info);
  string('options.info.title', info.title);
  string('options.info.version', info.version);
  checkServers(servers);
  const paths = new Paths();
  const all = [...routes];
  for (const { entry } of all) paths.item(entry);
  // A route for the method itself serves before one for any.
  for (const { entry, method } of all) if (method !== ANY) paths.add(entry, [method.toLowerCase()]);
  for (const { entry, method } of all) if (method === ANY) paths.add(entry, OPERATIONS);
  paths.dropEmpty();
  return { openapi: '3.1.1', info, ...(servers && { servers }), paths: paths.made };
}

function checkServers(servers: unknown): void {
  if (servers === undefined) return;
  if (!Array.isArray(servers)) invalid('options.servers', 'a list of objects with a url', servers);
  for (const [i, server] of servers.entries()) string(`options.servers[${i}].url`, server?.url);
}

class Paths {
  readonly made: OpenAPIDocument['paths'] = {};
  /** Paths by what is left of them without names: two that differ in names only are the same to OpenAPI. */
  readonly #byShape = new Map<string, Template>();
  /** How often an operation id was wanted. */
  readonly #ids = new Map<string, number>();

  /** The place of a route in the document, and its parameters by the names that they have there. */
  item({ pattern, params }: Entry<RouteHandler>): Template {
    const own = templateOf(pattern, params.names);
    const shape = own.path.replace(/\{[^}]*\}/g, '{}');
    let known = this.#byShape.get(shape);
    if (known === undefined) {
      known = own;
      this.#byShape.set(shape, own);
      this.made[own.path] = {};
    }
    const { path, parameters } = known;
    return { path, parameters: own.parameters.map((one, i) => ({ ...one, name: parameters[i]!.name })) };
  }

  add(entry: Entry<RouteHandler>, methods: readonly string[]): void {
    const { path, parameters } = this.item(entry);
    const item = this.made[path]!;
    for (const method of methods) {
      const taken = item[method];
      if (!OPERATIONS.includes(method)) continue;
      if (taken === undefined) {
        item[method] = {
          operationId: this.#unique(entry.value.id, method),
          ...(parameters.length > 0 && { parameters }),
          responses: { default: { description: 'The response' } },
        };
      } else if (methods !== OPERATIONS || entry.constraint !== UNCONSTRAINED) {
        taken['x-keelson-also'] = [...(taken['x-keelson-also'] ?? []), entry.pattern];
      }
    }
  }

  /** Takes out paths that have none of the methods that OpenAPI knows. */
  dropEmpty(): void {
    for (const [path, item] of Object.entries(this.made)) {
      if (Object.keys(item).length === 0) delete this.made[path];
    }
  }

  #unique(id: string, method: string): string {
    if (!this.#ids.has(id)) {
      this.#ids.set(id, 1);
      return id;
    }
    const named = `${id}_${method}`;
    let unique = named;
    while (this.#ids.has(unique)) {
      const count = this.#ids.get(named)! + 1;
      this.#ids.set(named, count);
      unique = `${named}_${count}`;
    }
    this.#ids.set(unique, 1);
    return unique;
  }
}

/** `/users/:id(\\d+)` as `/users/{id}`; a `*` becomes a parameter of its own. */
function templateOf(text: string, names: readonly string[]): Template {
  const template: Template = { path: '', parameters: [] };
  const add = (name: string, pattern?: string) => {
    const safe = name.replace(/[{}]/g, '_');
    template.path += `{${safe}}`;
    const schema = { type: 'string' as const, ...(pattern !== undefined && { pattern: `^(?:${pattern})$` }) };
    template.parameters.push({ name: safe, in: 'path', required: true, schema });
  };
  let next = 0;
  let wildcards = 0;
  for (let i = 0; i < text.length; i++) {
    const character = text[i]!;
    if (character === ':' && text[i + 1] === ':') {
      template.path += text[i++];
    } else if (character === ':') {
      const name = names[next++]!;
      i += name.length;
      const pattern = text[i + 1] === '(' ? regexAt(text, i + 1) : undefined;
      if (pattern !== undefined) i += pattern.length + 2;
      add(name, pattern);
    } else if (character === '*') {
      const name = names[next];
      const isNamed = name !== undefined && text.slice(i + 1) === name;
      do wildcards++;
      while (!isNamed && names.includes(`wildcard${wildcards}`));
      add(isNamed ? name : `wildcard${wildcards}`);
      if (isNamed) break;
    } else {
      // Braces of the text are none of the template's.
      template.path += character === '{' ? '%7B' : character === '}' ? '%7D' : character;
    }
  }
  return template;
}
