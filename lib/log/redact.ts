import { invalid } from '../validate.js';

/** Compiled paths: gives what it is given without what is found under one of them. */
export type Redactor = (metadata: object) => object;

/** What stands in the place of a value. */
type Censor = string | ((value: unknown, path: string[]) => unknown) | undefined;

/** Paths that begin alike share their beginning. */
interface Branch {
  /** A path ends here. */
  isEnd: boolean;
  readonly names: Map<string, Branch>;
  /** For whatever name. */
  any: Branch | undefined;
}

const REDACTED = '[Redacted]';

/**
 * Paths as pino has them: names with dots between them, or in brackets and quotes, numbers in brackets, and `*` for any member.
 * What is given is not changed: what leads to a redacted member is copied, all else is shared.
 *
 * @param censor undefined: members are left out
 * @throws InvalidArgumentError for a path that is not understood
 */
export function redactor(paths: readonly string[], censor: Censor): Redactor {
  const root = branch();
  for (const path of paths) add(root, segments(path));
  return (metadata) => redact(metadata, root, censor, []) as object;
}

function branch(): Branch {
  return { isEnd: false, names: new Map(), any: undefined };
}

function add(root: Branch, names: string[]): void {
  let at = root;
  for (const name of names) {
    let next = name === '*' ? at.any : at.names.get(name);
    next ??= branch();
    if (name === '*') at.any = next;
    else at.names.set(name, next);
    at = next;
  }
  at.isEnd = true;
}

/** A name, one in brackets, one in brackets and quotes. */
const SEGMENT = /(?:^|(?<=.)\.)([^.[\]'"]+)|\[(\d+|\*)\]|\["([^"]*)"\]|\['([^']*)'\]/y;

function segments(path: unknown): string[] {
  if (typeof path !== 'string' || path === '') return refuse(path);
  const found: string[] = [];
  SEGMENT.lastIndex = 0;
  for (let end = 0; end < path.length; end = SEGMENT.lastIndex) {
    const match = SEGMENT.exec(path);
    if (match === null) return refuse(path);
    found.push(match[1] ?? match[2] ?? match[3] ?? match[4]!);
  }
  return found;
}

function refuse(path: unknown): never {
  return invalid('redact', 'paths such as a.b, a["b-c"] and list[*].c', path);
}

function redact(value: any, { names, any }: Branch, censor: Censor, path: string[]): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const concerned = any === undefined ? names.keys() : Object.keys(value);
  let copy: any;
  for (const name of concerned) {
    if (!Object.hasOwn(value, name) || !Object.prototype.propertyIsEnumerable.call(value, name)) continue;
    const before: unknown = value[name];
    const after = member(before, [names.get(name), any], censor, [...path, name]);
    if (after === before) continue;
    copy ??= Array.isArray(value) ? [...value] : { ...value };
    if (after === REMOVED) delete copy[name];
    else
      Object.defineProperty(copy, name, {
        value: after,
        enumerable: true,
        configurable: true,
        writable: true,
      });
  }
  return copy ?? value;
}

/** Stands for a member that is to go. */
const REMOVED = Symbol('removed');

function member(value: unknown, branches: (Branch | undefined)[], censor: Censor, path: string[]): unknown {
  if (branches.some((one) => one?.isEnd)) {
    if (typeof censor !== 'function') return censor ?? REMOVED;
    return censored(value, censor, path);
  }
  return branches.reduce((at, one) => (one === undefined ? at : redact(at, one, censor, path)), value);
}

function censored(
  value: unknown,
  censor: (value: unknown, path: string[]) => unknown,
  path: string[],
): unknown {
  try {
    return censor(value, path);
  } catch {
    return REDACTED;
  }
}
