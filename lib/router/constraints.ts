import { invalid, options, string } from '../validate.js';
import { foldCase } from './fold.js';
import type { RouteConstraints } from './types.js';

const VERSION = /^(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})$/;
const RANGE = /^(?:\*|x|(\d{1,9})(?:\.(\d{1,9}|x|\*)(?:\.(\d{1,9}|x|\*))?)?)$/;
const HOST = /^(?:\*\.)?[^\s*/:@]+$|^\[[0-9a-f:.]+\]$/i;

/** What a route asks of a request, checked and in the form that is compared. */
export interface Constraint {
  /** Equal for equal constraints: two routes of one place are told apart by it. */
  readonly key: string;
  /** In lower case; with `suffix` it begins with the dot. */
  readonly host: string | undefined;
  readonly suffix: boolean;
  readonly version: readonly [number, number, number] | undefined;
}

export const UNCONSTRAINED: Constraint = { key: '', host: undefined, suffix: false, version: undefined };

/** @throws InvalidArgumentError */
export function constraintOf(given: RouteConstraints | undefined): Constraint {
  if (given === undefined) return UNCONSTRAINED;
  const { host, version } = options<RouteConstraints>('constraints', given, ['host', 'version']);
  if (host === undefined && version === undefined) return UNCONSTRAINED;
  if (host !== undefined && !HOST.test(string('constraints.host', host))) {
    invalid(
      'constraints.host',
      "a host name without port, such as 'api.example.com' or '*.example.com'",
      host,
    );
  }
  const parts = version === undefined ? undefined : VERSION.exec(string('constraints.version', version));
  if (parts === null) invalid('constraints.version', "three numbers, such as '1.2.0'", version);
  const suffix = host?.startsWith('*.') === true;
  const lower = host && foldCase(host);
  return {
    key: `${lower ?? ''} ${version ?? ''}`,
    host: suffix ? lower?.slice(1) : lower,
    suffix,
    version: parts && [Number(parts[1]), Number(parts[2]), Number(parts[3])],
  };
}

/** The more specific first: exact host, longer suffix, no host; then the higher version, then none. */
export function bySpecificity(a: Constraint, b: Constraint): number {
  const hosts = hostRank(b) - hostRank(a);
  if (hosts !== 0) return hosts;
  if (a.version === undefined || b.version === undefined) {
    return Number(a.version === undefined) - Number(b.version === undefined);
  }
  for (const at of [0, 1, 2] as const) {
    if (a.version[at] !== b.version[at]) return b.version[at] - a.version[at];
  }
  return 0;
}

function hostRank({ host, suffix }: Constraint): number {
  if (host === undefined) return 0;
  return suffix ? host.length : Number.MAX_SAFE_INTEGER;
}

/** Whether a request may have the route; a route without a version serves whatever version is asked for. */
export function satisfies(
  { host, suffix, version }: Constraint,
  asked: RouteConstraints | undefined,
): boolean {
  if (host !== undefined) {
    const name = hostName(asked?.host);
    if (suffix ? !(name.length > host.length && name.endsWith(host)) : name !== host) return false;
  }
  return version === undefined || (asked?.version !== undefined && inRange(version, asked.version));
}

/** The name of a Host header: in lower case, without the port. */
function hostName(header: string | undefined): string {
  if (typeof header !== 'string') return '';
  const end = header.startsWith('[') ? header.indexOf(']') + 1 : header.indexOf(':');
  return foldCase(end > 0 ? header.slice(0, end) : header);
}

function inRange(version: readonly number[], range: string): boolean {
  const asked = RANGE.exec(range);
  if (asked === null) return false;
  for (const [at, number] of version.entries()) {
    const part = asked[at + 1];
    // The rest is free once a part is.
    if (part === undefined || part === 'x' || part === '*') return true;
    if (Number(part) !== number) return false;
  }
  return true;
}
