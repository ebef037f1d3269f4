import type { Request } from 'express';
import { badRequest } from './errors';

/** The one value of a query parameter, or undefined; a 400 if it is there twice or nested. */
function single(req: Request, name: string): string | undefined {
  const value = req.query[name];
  if (value === undefined || typeof value === 'string') return value;
  throw badRequest(`Query parameter "${name}" must be there once`);
}

/** Refuses query parameters that nobody reads: a misspelt one must not pass silently. */
export function onlyQuery(req: Request, ...known: string[]): void {
  const unknown = Object.keys(req.query).find((name) => !known.includes(name));
  if (unknown !== undefined) throw badRequest(`Unknown query parameter "${unknown}"`);
}

export function queryText(req: Request, name: string, maxLength: number): string {
  const value = (single(req, name) ?? '').trim();
  if (value.length <= maxLength) return value;
  throw badRequest(`Query parameter "${name}" must have at most ${maxLength} characters`);
}

export function queryInteger(req: Request, name: string, fallback: number, min: number, max: number): number {
  const text = single(req, name);
  if (text === undefined) return fallback;
  const value = /^-?\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw badRequest(`Query parameter "${name}" must be a whole number from ${min} to ${max}`);
}

export function queryChoice<T extends string>(
  req: Request,
  name: string,
  fallback: T,
  choices: readonly T[],
): T {
  const text = single(req, name);
  if (text === undefined) return fallback;
  const chosen = choices.find((choice) => choice === text);
  if (chosen !== undefined) return chosen;
  throw badRequest(`Query parameter "${name}" must be one of ${choices.join(', ')}`);
}

export const noObject = () => badRequest('The body must be a JSON object, sent as application/json');

/** Refuses members of a body that nobody reads. */
export function onlyMembers(names: readonly string[], ...known: string[]): void {
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) throw badRequest(`Unknown member "${unknown}"`);
}

/** The members of a JSON body; a 400 if it is no object or has other members. */
export function body(req: Request, ...known: string[]): Record<string, unknown> {
  const value: unknown = req.body;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw noObject();
  onlyMembers(Object.keys(value), ...known);
  return value as Record<string, unknown>;
}

export function memberText(members: Record<string, unknown>, name: string, maxLength: number): string {
  const value = members[name];
  if (typeof value === 'string' && value.length > 0 && value.length <= maxLength) return value;
  throw badRequest(`"${name}" must be a text of 1 to ${maxLength} characters`);
}

export function memberInteger(
  members: Record<string, unknown>,
  name: string,
  min: number,
  max: number,
): number {
  const value = members[name];
  if (Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max)
    return value as number;
  throw badRequest(`"${name}" must be a whole number from ${min} to ${max}`);
}
