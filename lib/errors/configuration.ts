import { KeelsonError } from './base.js';

/** What is wrong with an environment variable. */
export interface ConfigurationProblem {
  readonly variable: string;
  /** What it is, without the password of a URL. */
  readonly value: string;
  /** What it may be. */
  readonly accepted: string;
}

/** For people. */
export function describeProblem({ variable, value, accepted }: ConfigurationProblem): string {
  return `${variable} must be ${accepted}, but it is '${value}'`;
}

/** Environment variables of keelson are of the wrong type or out of range. Nothing was changed. */
export class ConfigurationError extends KeelsonError {
  /** The first of them. */
  readonly variable: string;

  /** @param problems all of them, of which there is one at least */
  constructor(readonly problems: readonly ConfigurationProblem[]) {
    super('ERR_KEELSON_CONFIGURATION', problems.map(describeProblem).join('; '));
    this.variable = problems[0]!.variable;
  }

  override get name(): string {
    return 'ConfigurationError';
  }
}
