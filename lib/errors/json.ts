import { KeelsonError } from './base.js';

/** Where the text of a JSON document is wrong. */
export interface JSONFaultPlace {
  /** UTF-16 units before the fault. */
  readonly position: number;
  /** From 1. */
  readonly line: number;
  /** In UTF-16 units, from 1. */
  readonly column: number;
  /** About 40 units of the text around the fault, control characters shown as escapes. */
  readonly excerpt: string;
}

/** The text is not JSON. A SyntaxError, as JSON.parse throws, and therefore not a {@link KeelsonError}. */
export class JSONSyntaxError extends SyntaxError implements JSONFaultPlace {
  readonly code = 'ERR_KEELSON_JSON_SYNTAX';
  readonly position: number;
  readonly line: number;
  readonly column: number;
  readonly excerpt: string;

  constructor(message: string, place: JSONFaultPlace) {
    super(message);
    const { position, line, column, excerpt } = place;
    this.position = position;
    this.line = line;
    this.column = column;
    this.excerpt = excerpt;
  }
}

/** A text goes beyond a limit that the call set, or beyond what a string can hold. No value comes of it. */
export class JSONLimitError extends KeelsonError {
  /** Undefined, like the rest of the place, where a text that is written is too long. */
  readonly position: number | undefined;
  readonly line: number | undefined;
  readonly column: number | undefined;
  readonly excerpt: string | undefined;

  /**
   * @param limit the option, or `maxStringLength`, which no option sets: the UTF-16 units that a string can have
   * @param maximum what it is set to
   * @param place where what is read goes beyond it
   */
  constructor(
    readonly limit: 'maxBytes' | 'maxDepth' | 'maxKeys' | 'maxLineBytes' | 'maxStringLength',
    readonly maximum: number,
    message: string,
    place?: JSONFaultPlace,
  ) {
    super('ERR_KEELSON_JSON_LIMIT', message);
    this.position = place?.position;
    this.line = place?.line;
    this.column = place?.column;
    this.excerpt = place?.excerpt;
  }

  override get name(): string {
    return 'JSONLimitError';
  }
}

/** A value holds itself, and has therefore no JSON. */
export class CircularReferenceError extends KeelsonError {
  /**
   * @param path JSON pointer of the member that leads back
   * @param target JSON pointer of what it leads to
   */
  constructor(
    readonly path: string,
    readonly target: string,
  ) {
    super(
      'ERR_KEELSON_JSON_CYCLE',
      `The value at '${path}' is its own ancestor at '${target}', which has no JSON: leave that member out with a replacer or a toJSON`,
    );
  }

  override get name(): string {
    return 'CircularReferenceError';
  }
}

/** A JSON pointer that is malformed (RFC 6901). */
export class JSONPointerError extends KeelsonError {
  constructor(message: string) {
    super('ERR_KEELSON_JSON_POINTER', message);
  }

  override get name(): string {
    return 'JSONPointerError';
  }
}
