import { PROFILE_VARIABLE } from './lookup.js';
import { VARIABLES } from './schema.js';
import { nearest } from './text.js';

/** A variable with the prefix that keelson does not know. */
export interface UnknownVariable {
  readonly variable: string;
  /** The known one that it may be meant for. */
  readonly meant: string | undefined;
}

/** The variables of an environment that begin as keelson's do, and are none. */
export function unknownVariables(environment: Readonly<Record<string, unknown>>): UnknownVariable[] {
  const known = new Set([PROFILE_VARIABLE, ...VARIABLES.values()]);
  return Object.keys(environment)
    .filter((name) => name.startsWith('KEELSON_') && !known.has(name))
    .map((variable) => ({ variable, meant: nearest(variable, known) }));
}

export function describeUnknown({ variable, meant }: UnknownVariable): string {
  return `${variable} is not known to keelson and has no effect${meant === undefined ? '' : `; did you mean ${meant}?`}`;
}

const warned = new Set<string>();

/** Warns once of each. No more than that, since other programs may use the prefix. */
export function warnOfUnknownVariables(environment: Readonly<Record<string, unknown>>): void {
  for (const unknown of unknownVariables(environment)) {
    if (warned.has(unknown.variable)) continue;
    warned.add(unknown.variable);
    process.emitWarning(describeUnknown(unknown), 'KeelsonWarning');
  }
}
