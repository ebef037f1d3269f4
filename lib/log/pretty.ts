const RESET = '\x1b[0m';
const DIM = '\x1b[2m';
/** Colours of the levels; others have none. */
const LEVELS: ReadonlyMap<string, string> = new Map([
  ['TRACE', '\x1b[90m'],
  ['DEBUG', '\x1b[34m'],
  ['INFO', '\x1b[32m'],
  ['WARN', '\x1b[33m'],
  ['ERROR', '\x1b[31m'],
  ['FATAL', '\x1b[37;41m'],
]);

/** Units of the JSON of an object that are shown. */
const MAX_JSON = 200;
/** Errors within each other that have their stacks shown; what is deeper is shown as any other member. */
const MAX_CAUSES = 16;

/** Members of the metadata that are beside it too. */
const LIFTED = ['requestId', 'userId', 'service'];

/** What a terminal may obey, or what may have it show text in another order. */
const CONTROL = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu;
/** Text that ends where a reader thinks it does. */
const BARE = /^[^\s"=\p{C}]+$/u;
/** Of an ISO string that has a time of day. */
const ISO_TIME = /^\d{4}-\d\d-\d\dT/;

type Members = Record<string, unknown>;
type Failure = Members & { name: string; message: string; stack: string };
type Paint = (code: string, text: string) => string;

const painted: Paint = (code, text) => (code && text ? code + text + RESET : text);
const unpainted: Paint = (_code, text) => text;

/** Lines for a reader at a terminal. What is no entry is given as it is, but for what a terminal might obey. */
export function pretty(line: string, colors: boolean): string {
  const entry = entryOf(line);
  return entry ? entryText(entry, colors ? painted : unpainted) : safeLines(line).join('\n    ');
}

function entryOf(line: string): Members | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isFailure(value: unknown): value is Failure {
  return isObject(value) && ['name', 'message', 'stack'].every((name) => typeof value[name] === 'string');
}

function entryText(entry: Members, paint: Paint): string {
  const { timestamp, level, message, metadata, ...others } = entry;
  const pairs: string[] = [];
  const failures: string[] = [];
  if (metadata !== undefined && !isObject(metadata)) pairs.push(pair('metadata', jsonText(metadata), paint));
  for (const [name, value] of [...membersOf(metadata), ...besides(others, metadata)]) {
    if (isFailure(value)) failures.push(failureText(value, label(name, paint), 0, paint));
    else pairs.push(pair(name, valueText(value), paint));
  }
  const text = safeLines(textOf(message)).join('\n    ');
  const head = [paint(DIM, clock(timestamp)), levelText(textOf(level), paint), text];
  return [head.filter(Boolean).join(' ') + listed(pairs), ...failures].join('\n');
}

/** Metadata that is an error is as a member of that name. */
function membersOf(metadata: unknown): [string, unknown][] {
  if (isFailure(metadata)) return [['error', metadata]];
  return isObject(metadata) ? Object.entries(metadata) : [];
}

/** What is beside the metadata, without what is only told there too. */
function besides(others: Members, metadata: unknown): [string, unknown][] {
  const inner = isObject(metadata) ? metadata : {};
  return Object.entries(others).filter(([name]) => !LIFTED.includes(name) || !Object.hasOwn(inner, name));
}

/** The time of day where the reader is. */
function clock(timestamp: unknown): string {
  const known = typeof timestamp === 'number' || (typeof timestamp === 'string' && ISO_TIME.test(timestamp));
  const date = new Date(known ? timestamp : Number.NaN);
  if (Number.isNaN(date.getTime())) return safe(textOf(timestamp));
  return `${date.toTimeString().slice(0, 8)}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

function levelText(level: string, paint: Paint): string {
  const name = level.toUpperCase();
  return paint(LEVELS.get(name) ?? '', name && safe(name).padEnd(5));
}

/** An error beneath its entry, and beneath it, each a step further in, those it came from. */
function failureText(value: unknown, head: string, depth: number, paint: Paint): string {
  const margin = ' '.repeat(2 + 2 * Math.max(depth, 1));
  if (!isFailure(value)) return margin + head + valueText(value);
  const { name, message, stack, ...others } = value;
  const causes: string[] = [];
  const pairs: string[] = [];
  for (const [key, other] of Object.entries(others)) {
    const inner = depth < MAX_CAUSES ? causesOf(key, other) : [];
    if (inner.length === 0) pairs.push(pair(key, valueText(other), paint));
    for (const cause of inner) causes.push(failureText(cause, '  caused by ', depth + 1, paint));
  }
  const [first = '', ...frames] = safeLines(stack || `${name}: ${message}`);
  const own = [head + first + listed(pairs), ...frames].map((line) => margin + line);
  return [...own, ...causes].join('\n');
}

function causesOf(name: string, value: unknown): unknown[] {
  if (name === 'cause' && isFailure(value)) return [value];
  return name === 'errors' && Array.isArray(value) && value.some(isFailure) ? value : [];
}

/** What stands before an error, unless its name says no more than that it is one. */
function label(name: string, paint: Paint): string {
  return name === 'error' || name === 'err' ? '' : `${paint(DIM, `${bare(name)}:`)} `;
}

function listed(pairs: string[]): string {
  return pairs.length === 0 ? '' : `  ${pairs.join(' ')}`;
}

function pair(name: string, text: string, paint: Paint): string {
  return paint(DIM, `${bare(name)}=`) + text;
}

function valueText(value: unknown): string {
  return typeof value === 'string' ? bare(value) : jsonText(value);
}

function jsonText(value: unknown): string {
  const text = json(value);
  const isLong = typeof value === 'object' && text.length > MAX_JSON;
  return safe(isLong ? `${text.slice(0, MAX_JSON)}…` : text);
}

function bare(text: string): string {
  return BARE.test(text) ? text : jsonText(text);
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : value === undefined ? '' : json(value);
}

function json(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    // Nested deeper than the stack goes.
    return '[Too deep]';
  }
}

const safeLines = (text: string): string[] => text.split('\n').map(safe);

/** Text that is all to be seen, and nothing a terminal obeys. */
function safe(text: string): string {
  return text.replace(CONTROL, (control) => {
    if (control === '\t') return '  ';
    const code = control.charCodeAt(0);
    return code < 256 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`;
  });
}
