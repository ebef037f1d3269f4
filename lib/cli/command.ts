/** What a command ends with: 0 done or nothing to do, 1 a check failed, 2 bad usage, 3 refused. */
export type ExitCode = 0 | 1 | 2 | 3;

/** Where a command writes and whom it asks; tests and `--json` bring their own. */
export interface Terminal {
  out(line: string): void;
  err(line: string): void;
  /** Asks a yes-or-no question. Undefined where nobody is there to answer. */
  ask?: (question: string) => Promise<boolean>;
  /** Rewrites a line about what goes on; an empty one takes it away. Undefined where nobody watches. */
  status?: (line: string) => void;
}

/** A command of the `keelson` program. */
export interface Command {
  /** One line for the list of commands. */
  readonly summary: string;
  readonly help: string;
  run(args: string[], terminal: Terminal): Promise<ExitCode>;
}

/** Ends a command with a message for people, and without a stack. */
export class Stop extends Error {
  constructor(
    readonly exitCode: ExitCode,
    message: string,
  ) {
    super(message);
  }
}
