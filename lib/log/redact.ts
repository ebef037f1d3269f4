import { invalid } from '../validate.js';
import { isObject, isPlainObject, setMember } from './plain.js';

/**
 * Compiled paths: gives what it is given without what is found under one of them.
 *
 * @throws TypeError where JSON would have something else than own members, as of a class with toJSON; and what a getter throws
 */
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

/** Stands for `*` that is in no quotes. */
const ANY = Symbol('any');

const REDACTED = '[Redacted]';

/**
 * Paths as pino has them: names with dots between them, or in brackets and quotes, numbers in brackets, and `*` for any member.
 * What is given is not changed: what leads to a redacted member is copied, so that each getter is read once, and all else is shared.
 *
 * @param censor undefined: members are left out
 * @throws InvalidArgumentError for a path that is not understood
 */
export function redactor(paths: readonly string[], censor: Censor): Redactor {
  const root = branch();
  for (const path of paths) add(root, segments(path));
  return (metadata) => redact(metadata, [root], censor, []);
}

function branch(): Branch {
  return { isEnd: false, names: new Map(), any: undefined };
}

function add(root: Branch, names: readonly (string | typeof ANY)[]): void {
  let at = root;
  for (const name of names) {
    const next: Branch = (name === ANY ? at.any : at.names.get(name)) ?? branch();
    if (name === ANY) at.any = next;
    else at.names.set(name, next);
    at = next;
  }
  at.isEnd = true;
}

/** A name or any, one in brackets, one in brackets and quotes. */
const SEGMENT = /(?:^|(?<=.)\.)(\*(?![^.[])|[^.[\]'"*]+)|\[(\d+|\*)\]|\["([^"]*)"\]|\['([^']*)'\]/y;

function segments(path: unknown): (string | typeof ANY)[] {
  if (typeof path !== 'string' || path === '') return refuse(path);
  const found: (string | typeof ANY)[] = [];
  SEGMENT.lastIndex = 0;
  for (let end = 0; end < path.length; end = SEGMENT.lastIndex) {
    const match = SEGMENT.exec(path);
    if (match === null) return refuse(path);
    const bare = match[1] ?? match[2];
    found.push(bare === '*' ? ANY : (bare ?? match[3] ?? match[4]!));
  }
  return found;
}

function refuse(path: unknown): never {
  return invalid('redact', 'paths such as a.b, a["b-c"] and list[*].c', path);
}

/**
 * Goes down all branches that lead to a member at once, so that it is hidden, and its censor asked, once.
 *
 * @param path to the value; longer while its members are looked at
 */
function redact(value: object, branches: readonly Branch[], censor: Censor, path: string[]): object {
  if (!isOpen(value)) throw new TypeError('No plain data');
  const names = concerned(value, branches);
  if (names.length === 0) return value;
  const copy: any = Array.isArray(value) ? [...value] : { ...value };
  for (const name of names) {
    const next = below(branches, name);
    const member: unknown = copy[name];
    path.push(name);
    if (next.some(isEnd)) hide(copy, name, censor, path);
    else if (isObject(member)) setMember(copy, name, redact(member, next, censor, path));
    path.pop();
  }
  return copy;
}

function below(branches: readonly Branch[], name: string): Branch[] {
  const found: Branch[] = [];
  for (const { names, any } of branches) {
    const named = names.get(name);
    if (named !== undefined) found.push(named);
    if (any !== undefined) found.push(any);
  }
  return found;
}

function isEnd(branch: Branch): boolean {
  return branch.isEnd;
}

/** Whether JSON has the own members of an object, and nothing else. */
function isOpen(value: object): boolean {
  return typeof (value as any).toJSON !== 'function' && (Array.isArray(value) || isPlainObject(value));
}

function concerned(value: object, branches: readonly Branch[]): string[] {
  if (branches.some(({ any }) => any !== undefined)) return Object.keys(value);
  const found: string[] = [];
  for (const { names } of branches) {
    for (const name of names.keys()) {
      if (Object.prototype.propertyIsEnumerable.call(value, name) && !found.includes(name)) found.push(name);
    }
  }
  return found;
}

function hide(value: any, name: string, censor: Censor, path: string[]): void {
  if (censor === undefined) delete value[name];
  else
    setMember(value, name, typeof censor === 'function' ? censored(value[name], censor, [...path]) : censor);
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
