import { invalid } from '../validate.js';
import { bound, membersOf } from './bindings.js';
import type { LogLevel } from './levels.js';

/** Whoever writes lines. */
interface Parent {
  log(level: LogLevel, message: string, metadata?: any): void;
}

/** A logger whose lines have something in common, such as the id of a request. It ends with the logger that it is of. */
export class ChildLogger {
  readonly #parent: Parent;
  readonly #bindings: object;

  /** @internal */
  constructor(parent: Parent, bindings: unknown, above: object = {}) {
    if (membersOf(bindings) === undefined) invalid('bindings', 'an object', bindings);
    this.#parent = parent;
    // A copy: what becomes of the object later is no matter of this logger.
    this.#bindings = bound(above, bindings);
  }

  /** As of the logger, with the bindings in the metadata, whose members go before those of the same name. */
  log(level: LogLevel, message: string, metadata?: any): void {
    this.#parent.log(level, message, bound(this.#bindings, metadata));
  }

  trace(message: string, metadata?: any): void {
    this.log('trace', message, metadata);
  }

  debug(message: string, metadata?: any): void {
    this.log('debug', message, metadata);
  }

  info(message: string, metadata?: any): void {
    this.log('info', message, metadata);
  }

  warn(message: string, metadata?: any): void {
    this.log('warn', message, metadata);
  }

  error(message: string, metadata?: any): void {
    this.log('error', message, metadata);
  }

  fatal(message: string, metadata?: any): void {
    this.log('fatal', message, metadata);
  }

  /** One more, whose lines have these members too. @throws InvalidArgumentError if they are no object */
  child(bindings: object): ChildLogger {
    return new ChildLogger(this.#parent, bindings, this.#bindings);
  }
}
