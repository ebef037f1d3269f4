import { validateHeaderName, validateHeaderValue } from 'node:http';

/**
 * What is thrown can be anything: nothing, an object without a prototype, a proxy, an object whose getters throw.
 * What is read of it is read here.
 */
function memberOf(thrown: any, name: string): unknown {
  try {
    return thrown?.[name];
  } catch {
    return undefined;
  }
}

/** What was thrown, as an error that `next` does not take for none, nor for the name of a place to go to. */
export function asError(thrown: unknown): unknown {
  if (isFailure(thrown)) return thrown;
  return new Error(`A handler or middleware failed with ${String(thrown)}`, { cause: thrown });
}

/** Whether `next(to)` passes an error on, and not the name of a place to go to. */
export function isFailure(to: unknown): boolean {
  return Boolean(to) && to !== 'route' && to !== 'router';
}

export function isKind(thrown: unknown, kind: new (...args: any[]) => Error): boolean {
  try {
    return thrown instanceof kind;
  } catch {
    return false;
  }
}

/** The status that an error asks for, as http-errors and body parsers set it. */
export function statusOf(thrown: unknown): number | undefined {
  const status = memberOf(thrown, 'status') ?? memberOf(thrown, 'statusCode');
  return Number.isInteger(status) && (status as number) >= 400 && (status as number) < 600
    ? (status as number)
    : undefined;
}

/** An error that says what the client did wrong, as http-errors make it, is an answer and no failure. */
export function isClientError(thrown: unknown): boolean {
  return (statusOf(thrown) ?? 500) < 500;
}

export function isAbort(thrown: unknown): boolean {
  return memberOf(thrown, 'name') === 'AbortError';
}

/**
 * The headers that an error of http-errors (known by its `expose`) wants in its answer. Other libraries keep those
 * of an upstream's answer under this name.
 */
export function headersOf(thrown: unknown): Record<string, string> {
  const found: Record<string, string> = {};
  const given = memberOf(thrown, 'headers');
  if (typeof memberOf(thrown, 'expose') !== 'boolean' || typeof given !== 'object' || given === null)
    return found;
  for (const name of Object.keys(given)) {
    const value = memberOf(given, name);
    try {
      validateHeaderName(name);
      validateHeaderValue(name, value as string);
      found[name] = value as string;
    } catch {
      // It would be the reason that the client gets no answer at all.
    }
  }
  return found;
}
