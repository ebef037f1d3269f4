import { decodeParameter } from './decode.js';

type Params = Record<string, string>;
type Decode = (text: string) => string;

/** How often a set of names is built by the general builder before one is generated for it. */
const HOT = 16;

/** Builders by names, as long as somebody uses them. */
export class ParamsBuilders {
  readonly #made = new Map<string, Builder>();

  /** A builder that is given back by `release()`. @param names with a NUL between them */
  acquire(names: string): Builder {
    let builder = this.#made.get(names);
    if (builder === undefined) {
      builder = new Builder(names === '' ? [] : names.split('\0'));
      this.#made.set(names, builder);
    }
    builder.uses++;
    return builder;
  }

  release(builder: Builder): void {
    if (--builder.uses === 0) this.#made.delete(builder.names.join('\0'));
  }

  clear(): void {
    this.#made.clear();
  }
}

/**
 * Makes objects of parameters from a path and the offsets of the values in it. When it is used often, it has code
 * generated that makes them as literals of fixed shape, which is three times as fast as setting properties one by
 * one. Where code generation from strings is forbidden, it stays as it is.
 */
export class Builder {
  readonly names: readonly string[];
  /** From a path without escapes. */
  build: (path: string, offsets: Int32Array) => Params;
  /** From a path with escapes; the last parameter may be a catch-all, which is decoded otherwise. */
  buildDecoded: (path: string, offsets: Int32Array, decodeLast: Decode) => Params;
  /** How many entries share it. */
  uses = 0;
  private calls = 0;

  constructor(names: readonly string[]) {
    this.names = names;
    const last = names.length - 1;
    this.build = (path, offsets) => {
      this.heatUp();
      return collect(names, path, offsets, (text) => text);
    };
    this.buildDecoded = (path, offsets, decodeLast) => {
      this.heatUp();
      return collect(names, path, offsets, (text, i) => (i === last ? decodeLast : decodeParameter)(text));
    };
  }

  private heatUp(): void {
    if (++this.calls !== HOT) return;
    const last = this.names.length - 1;
    const plain = literal(this.names, (text) => text);
    const decoded = literal(this.names, (text, i) => `${i === last ? 'decodeLast' : 'decode'}(${text})`);
    try {
      this.build = new Function('path', 'offsets', `return ${plain};`) as Builder['build'];
      const source = `return (path, offsets, decodeLast) => (${decoded});`;
      this.buildDecoded = new Function('decode', source)(decodeParameter);
    } catch {
      // Content security forbids it, for this call as for all others.
    }
  }
}

function collect(
  names: readonly string[],
  path: string,
  offsets: Int32Array,
  render: (text: string, index: number) => string,
): Params {
  const params: Params = {};
  for (let i = 0; i < names.length; i++) {
    const value = render(path.slice(offsets[2 * i], offsets[2 * i + 1]), i);
    // Assigning to `__proto__` would set the prototype.
    if (names[i] !== '__proto__') params[names[i]!] = value;
    else
      Object.defineProperty(params, '__proto__', {
        value,
        writable: true,
        enumerable: true,
        configurable: true,
      });
  }
  return params;
}

/** An object literal of the names, with what `render` makes of the source of each value. */
function literal(names: readonly string[], render: (text: string, index: number) => string): string {
  const properties = names.map((name, i) => {
    // JSON is a subset of JavaScript. A computed name makes an own property of `__proto__` too.
    const key = name === '__proto__' ? '["__proto__"]' : JSON.stringify(name);
    return `${key}: ${render(`path.slice(offsets[${2 * i}], offsets[${2 * i + 1}])`, i)}`;
  });
  return `{ ${properties.join(', ')} }`;
}
