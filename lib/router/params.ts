import { decodeParameter, decodeRest } from './decode.js';

/** Makes the object of parameters from a path without escapes and the offsets of the values in it. */
export type ParamsBuilder = (path: string, offsets: Int32Array) => Record<string, string>;

/** How often a set of names is built by the general builder before one is generated for it. */
const HOT = 16;

/**
 * Builders by names. A generated one makes its object as a literal of fixed shape, which is three times as fast as
 * setting properties one by one. Where code generation from strings is forbidden, the general one serves.
 */
export class ParamsBuilders {
  readonly #made = new Map<string, Builder>();

  /** @param names with a NUL between them */
  for(names: string): Builder {
    let builder = this.#made.get(names);
    if (builder === undefined) {
      builder = new Builder(names === '' ? [] : names.split('\0'));
      this.#made.set(names, builder);
    }
    return builder;
  }

  clear(): void {
    this.#made.clear();
  }
}

export class Builder {
  /** Replaced by a generated one when it has been called often. */
  build: ParamsBuilder;
  readonly names: readonly string[];

  constructor(names: readonly string[]) {
    this.names = names;
    if (names.length === 0) {
      this.build = () => ({});
      return;
    }
    let calls = 0;
    this.build = (path, offsets) => {
      if (++calls === HOT) this.build = generate(names) ?? this.build;
      const params: Record<string, string> = {};
      for (let i = 0; i < names.length; i++) {
        assign(params, names[i]!, path.slice(offsets[2 * i], offsets[2 * i + 1]));
      }
      return params;
    };
  }

  /** The same from a path with escapes; `rest` says that the last name is a catch-all's. */
  buildDecoded(path: string, offsets: Int32Array, rest: boolean): Record<string, string> {
    const params: Record<string, string> = {};
    const last = rest ? this.names.length - 1 : -1;
    for (const [i, name] of this.names.entries()) {
      const value = path.slice(offsets[2 * i], offsets[2 * i + 1]);
      assign(params, name, i === last ? decodeRest(value) : decodeParameter(value));
    }
    return params;
  }
}

/** An own property in any case: assigning to `__proto__` would set the prototype. */
function assign(params: Record<string, string>, name: string, value: string): void {
  if (name === '__proto__') {
    Object.defineProperty(params, name, { value, writable: true, enumerable: true, configurable: true });
  } else {
    params[name] = value;
  }
}

function generate(names: readonly string[]): ParamsBuilder | undefined {
  const property = (name: string, i: number) =>
    // JSON is a subset of JavaScript. A computed name makes an own property of `__proto__` too.
    `${name === '__proto__' ? '["__proto__"]' : JSON.stringify(name)}: path.slice(offsets[${2 * i}], offsets[${2 * i + 1}])`;
  try {
    return new Function('path', 'offsets', `return { ${names.map(property).join(', ')} };`) as ParamsBuilder;
  } catch {
    return undefined;
  }
}
