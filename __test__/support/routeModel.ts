// The plainest router there is: a list of places, each tried segment by segment. It is given patterns in parts, so
// that it shares no parser with what it checks, and knows no tree.
import type { RouteConstraints, RouteHandler } from 'keelson';

/** A parameter with its regex and the text after it, up to the next one. */
export interface Piece {
  readonly name: string;
  readonly regex?: string;
  readonly after: string;
}

export type Segment =
  | { readonly kind: 'text'; readonly text: string }
  | {
      readonly kind: 'pieces';
      readonly before: string;
      readonly pieces: readonly Piece[];
      readonly optional?: boolean;
    }
  | { readonly kind: 'star' }
  | { readonly kind: 'rest'; readonly name: string };

export type Pattern = readonly Segment[];

export interface ModelOptions {
  readonly caseSensitive: boolean;
  readonly ignoreTrailingSlash: boolean;
  readonly ignoreDuplicateSlashes: boolean;
  readonly semicolonDelimiter: boolean;
}

/** `malformed` stands for a MalformedPathError. */
export type Answer =
  | { id: string; params: Record<string, string>; wildcard: boolean; rest: string | undefined }
  | 'malformed'
  | null;

interface Place {
  readonly segments: Pattern;
  readonly tokens: readonly string[];
  readonly method: string;
  readonly host: string | undefined;
  handler: RouteHandler;
}

const quoted = (text: string): string => text.replaceAll(':', '::');

/** The pattern as a user writes it. */
export function written(pattern: Pattern): string {
  const segments = pattern.map((segment) => {
    if (segment.kind === 'text') return quoted(segment.text);
    if (segment.kind === 'star') return '*';
    if (segment.kind === 'rest') return `*${segment.name}`;
    const pieces = segment.pieces.map(({ name, regex, after }) => {
      return `:${name}${regex === undefined ? '' : `(${regex})`}${quoted(after)}`;
    });
    return `${quoted(segment.before)}${pieces.join('')}${segment.optional ? '?' : ''}`;
  });
  return `/${segments.join('/')}`;
}

/** The pattern with and without each of its optional parameters, first the one with all of them. */
function variantsOf(pattern: Pattern): Pattern[] {
  const at = pattern.findIndex((segment) => segment.kind === 'pieces' && segment.optional);
  if (at < 0) return [pattern];
  const segment = { ...pattern[at]!, optional: false } as Segment;
  const tails = variantsOf(pattern.slice(at + 1));
  const head = pattern.slice(0, at);
  return [...tails.map((tail) => [...head, segment, ...tail]), ...tails.map((tail) => [...head, ...tail])];
}

const isEmpty = (segment: Segment | undefined): boolean => segment?.kind === 'text' && segment.text === '';

export class RouteModel {
  private readonly options: ModelOptions;
  private places: Place[] = [];

  constructor(options: ModelOptions) {
    this.options = options;
  }

  get methods(): string[] {
    return [...new Set(this.places.map(({ method }) => method))];
  }

  insert(pattern: Pattern, handler: RouteHandler): void {
    for (const segments of this.shapesOf(pattern)) {
      const tokens = this.tokensOf(segments);
      for (const method of [handler.method].flat()) {
        const host = handler.constraints?.host;
        const known = this.places.find((place) => isAt(place, method, tokens) && place.host === host);
        if (known === undefined) this.places.push({ segments, tokens, method, host, handler });
        // Its names are those of the newcomer, its rank is the old one's.
        else this.places[this.places.indexOf(known)] = { ...known, segments, handler };
      }
    }
  }

  remove(pattern: Pattern, method: string | undefined): boolean {
    const before = this.places.length;
    const shapes = this.shapesOf(pattern).map((segments) => this.tokensOf(segments).join('\0'));
    this.places = this.places.filter(
      (place) =>
        !(shapes.includes(place.tokens.join('\0')) && (method === undefined || place.method === method)),
    );
    return this.places.length < before;
  }

  /** For a pattern without optional parameters. */
  has(pattern: Pattern, method: string | undefined): boolean {
    const tokens = this.tokensOf(this.shapesOf(pattern)[0]!);
    return this.places.some((place) => isAt(place, method ?? place.method, tokens));
  }

  clear(): void {
    this.places = [];
  }

  search(request: string, method: string, asked?: RouteConstraints): Answer {
    const path = this.requestOf(request);
    const fitting = this.servers(method)
      .filter(({ host }) => host === undefined || host === asked?.host)
      .map((place) => ({ place, values: this.valuesOf(place.segments, path) }))
      .filter(({ values }) => values !== null);
    if (fitting.length === 0) {
      const isRefused = this.servers(method).some(({ segments }) => this.isRefused(segments, path));
      return isRefused && decoded(path.join('/')) === null ? 'malformed' : null;
    }
    const best = fitting.reduce((best, other) =>
      this.isBefore(other.place, best.place, method) ? other : best,
    );
    return answer(best.place, best.values!);
  }

  allowed(request: string, asked?: RouteConstraints): string[] {
    const path = this.requestOf(request);
    const methods = this.places
      .filter(({ host }) => host === undefined || host === asked?.host)
      .filter(({ segments }) => this.valuesOf(segments, path) !== null)
      .map(({ method }) => method);
    return methods.includes('*') ? ['*'] : [...new Set(methods)].sort();
  }

  /** Places for the method or for any, in the order in which their shapes were first there. */
  private servers(method: string): Place[] {
    return this.places.filter((place) => place.method === method || place.method === '*');
  }

  /** Whether `left`, which fits the same path as `right`, goes before it: told where they first differ. */
  private isBefore(left: Place, right: Place, method: string): boolean {
    const at = left.tokens.findIndex((token, index) => token !== right.tokens[index]);
    if (at < 0) {
      if (left.method !== right.method) return left.method !== '*';
      return left.host !== undefined;
    }
    const ranks = [left, right].map(({ tokens }) => {
      const token = tokens[at];
      // One that ends where the other goes on cannot fit the same path, but for a slash that is text.
      if (token === undefined || !token.startsWith('<')) return [0, 0, 0];
      const servers = this.shapeOrder(method);
      const first = servers.findIndex((other) => tokens.slice(0, at + 1).every((own, i) => own === other[i]));
      return [Number(token[1]), -Number(token.split(' ')[1]), first];
    });
    const differing = ranks[0]!.findIndex((rank, i) => rank !== ranks[1]![i]);
    return differing >= 0 && ranks[0]![differing]! < ranks[1]![differing]!;
  }

  /** Shapes in the order of insertion; one that the method has of its own stands where its own is. */
  private shapeOrder(method: string): Array<readonly string[]> {
    const own = new Set(
      this.places.filter((place) => place.method === method).map(({ tokens }) => tokens.join('\0')),
    );
    return this.servers(method)
      .filter((place) => place.method === method || !own.has(place.tokens.join('\0')))
      .map(({ tokens }) => tokens);
  }

  /** Variants without the slashes that do not matter, no two of one shape. */
  private shapesOf(pattern: Pattern): Pattern[] {
    const shapes = new Map<string, Pattern>();
    for (const variant of variantsOf(pattern)) {
      let segments = [...variant];
      if (this.options.ignoreDuplicateSlashes) {
        segments = segments.filter((segment, i) => !isEmpty(segment) || i === segments.length - 1);
      }
      if (this.options.ignoreTrailingSlash) while (isEmpty(segments.at(-1))) segments.pop();
      // A single empty segment is the root.
      if (segments.length === 1 && isEmpty(segments[0])) segments = [];
      const key = this.tokensOf(segments).join('\0');
      if (!shapes.has(key)) shapes.set(key, segments);
    }
    return [...shapes.values()];
  }

  /** What a pattern is without names, most important first: characters, and '<' with kind, length and the rest. */
  private tokensOf(segments: Pattern): string[] {
    return segments.flatMap((segment, i) => {
      const isLast = i === segments.length - 1;
      return [...(i > 0 ? ['/'] : []), ...this.segmentTokens(segment, isLast)];
    });
  }

  private segmentTokens(segment: Segment, isLast: boolean): string[] {
    if (segment.kind === 'text') return [...this.fold(segment.text)];
    if (segment.kind === 'star') return [isLast ? '<6 0' : '<5 0'];
    if (segment.kind === 'rest') return ['<7 0'];
    const { before, pieces } = segment;
    const text = pieces.map(({ after }) => after).join('');
    const hasRegex = pieces.some(({ regex }) => regex !== undefined);
    const isSingle = pieces.length === 1 && text === '';
    const kind = isSingle ? (hasRegex ? 1 : 4) : hasRegex ? 2 : 3;
    const shape = pieces.map(({ regex, after }) => `(${regex ?? ''})${this.fold(after)}`).join('|');
    return [...this.fold(before), `<${kind} ${kind === 3 ? text.length : 0} ${shape}`];
  }

  private fold(text: string): string {
    if (this.options.caseSensitive) return text;
    return text.replace(/[A-Z]/g, (letter) => String.fromCharCode(letter.charCodeAt(0) + 32));
  }

  /** The segments of a request's path. */
  private requestOf(request: string): string[] {
    let path = request.split(this.options.semicolonDelimiter ? /[?;]/ : '?')[0]!;
    if (!path.startsWith('/')) path = `/${path}`;
    if (this.options.ignoreDuplicateSlashes) path = path.replace(/\/+/g, '/');
    if (this.options.ignoreTrailingSlash)
      while (path.length > 1 && path.endsWith('/')) path = path.slice(0, -1);
    return path === '/' ? [] : path.slice(1).split('/');
  }

  /** The values of the parameters, then of an unnamed rest, as they stand in the path; null if it does not fit. */
  private valuesOf(segments: Pattern, path: readonly string[]): string[] | null {
    const values: string[] = [];
    for (const [i, segment] of segments.entries()) {
      const text = path[i];
      if (text === undefined) return null;
      const isLast = i === segments.length - 1;
      if (segment.kind === 'rest' || (segment.kind === 'star' && isLast)) {
        const rest = path.slice(i).join('/');
        return rest === '' ? null : [...values, rest];
      }
      if (segment.kind === 'text') {
        if (this.fold(segment.text) !== this.fold(text)) return null;
      } else if (segment.kind === 'star') {
        if (text === '') return null;
      } else {
        const own = this.piecesOf(segment.before, segment.pieces, text);
        if (own === null) return null;
        values.push(...own);
      }
    }
    return path.length === segments.length ? values : null;
  }

  /** Whether a path leads to a regex of the pattern that refuses it. */
  private isRefused(segments: Pattern, path: readonly string[]): boolean {
    for (const [i, segment] of segments.entries()) {
      const text = path[i];
      if (text === undefined) return false;
      if (this.valuesOf([segment, { kind: 'text', text: '' }], [text, '']) !== null) continue;
      if (segment.kind !== 'pieces' || segment.pieces.every(({ regex }) => regex === undefined)) return false;
      const { before } = segment;
      return text.length > before.length && this.fold(text).startsWith(this.fold(before));
    }
    return false;
  }

  private piecesOf(before: string, pieces: readonly Piece[], text: string): string[] | null {
    if (this.fold(text.slice(0, before.length)) !== this.fold(before)) return null;
    return this.split(pieces, text.slice(before.length));
  }

  /** Each parameter takes the shortest text that lets the rest match; one with a regex what that prefers. */
  private split([piece, ...others]: readonly Piece[], text: string): string[] | null {
    if (piece === undefined) return text === '' ? [] : null;
    const lengths = Array.from({ length: text.length }, (_, i) => i + 1);
    if (piece.regex?.includes('+')) lengths.reverse();
    for (const length of lengths) {
      const end = length + piece.after.length;
      if (!fits(piece.regex, text.slice(0, length))) continue;
      if (this.fold(text.slice(length, end)) !== this.fold(piece.after)) continue;
      if (text.length < end) continue;
      const rest = this.split(others, text.slice(end));
      if (rest !== null) return [text.slice(0, length), ...rest];
    }
    return null;
  }
}

function isAt(place: Place, method: string, tokens: readonly string[]): boolean {
  return place.method === method && place.tokens.join('\0') === tokens.join('\0');
}

function fits(regex: string | undefined, text: string): boolean {
  if (regex === undefined) return true;
  const plain = decoded(text);
  return plain !== null && new RegExp(`^(?:${regex})$`, 'u').test(plain);
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

function answer({ segments, handler }: Place, values: readonly string[]): Answer {
  const params: Record<string, string> = {};
  let next = 0;
  for (const segment of segments) {
    if (segment.kind === 'pieces') {
      for (const { name } of segment.pieces) {
        const value = decoded(values[next++]!);
        if (value === null) return 'malformed';
        params[name] = value;
      }
    } else if (segment.kind === 'rest') {
      const parts = values[next++]!.split(/(%2f)/i).map((part) =>
        /^%2f$/i.test(part) ? part : decoded(part),
      );
      if (parts.includes(null)) return 'malformed';
      params[segment.name] = parts.join('');
    }
  }
  const wildcard = segments.some(({ kind }) => kind === 'star' || kind === 'rest');
  return {
    id: handler.id,
    params,
    wildcard,
    rest: segments.at(-1)?.kind === 'star' ? values[next] : undefined,
  };
}
