import { invalid, options as named, string } from '../validate.js';
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
  const paths = new Paths();
  for (const { entry, method } of routes) paths.add(entry, method, entry.value.id);
  return { openapi: '3.1.1', info, ...(servers && { servers }), paths: paths.made };
}

class Paths {
  readonly made: OpenAPIDocument['paths'] = {};
  /** Paths by what is left of them without names: two that differ in names only are the same to OpenAPI. */
  readonly #byShape = new Map<string, Template>();
  readonly #ids = new Set<string>();

  add(entry: Entry<RouteHandler>, method: string, id: string): void {
    const own = templateOf(entry.pattern, entry.params.names);
    const shape = own.path.replace(/\{[^}]*\}/g, '{}');
    const { path, parameters: known } = this.#byShape.get(shape) ?? own;
    if (!this.#byShape.has(shape)) this.#byShape.set(shape, own);
    const parameters = own.parameters.map((parameter, i) => ({ ...parameter, name: known[i]!.name }));
    this.made[path] ??= {};
    const item = this.made[path];
    for (const name of method === ANY ? OPERATIONS : [method.toLowerCase()]) {
      if (!OPERATIONS.includes(name)) continue;
      const taken = item[name];
      if (taken !== undefined) {
        taken['x-keelson-also'] = [...(taken['x-keelson-also'] ?? []), entry.pattern];
        continue;
      }
      item[name] = {
        operationId: this.#unique(id, name),
        ...(parameters.length > 0 && { parameters }),
        responses: { default: { description: 'The response' } },
      };
    }
    if (Object.keys(item).length === 0) delete this.made[path];
  }

  #unique(id: string, method: string): string {
    let unique = this.#ids.has(id) ? `${id}_${method}` : id;
    for (let n = 2; this.#ids.has(unique); n++) unique = `${id}_${method}_${n}`;
    this.#ids.add(unique);
    return unique;
  }
}

/** `/users/:id(\\d+)` as `/users/{id}`; a `*` becomes a parameter of its own. */
function templateOf(text: string, names: readonly string[]): Template {
  const template: Template = { path: '', parameters: [] };
  const add = (name: string, pattern?: string) => {
    template.path += `{${name}}`;
    const schema = { type: 'string' as const, ...(pattern !== undefined && { pattern: `^(?:${pattern})$` }) };
    template.parameters.push({ name, in: 'path', required: true, schema });
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
