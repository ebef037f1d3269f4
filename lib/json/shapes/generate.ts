import { define } from '../define.js';
import { type CompiledShape, readRows, readTagged, SHORT_LIST } from './group.js';
import { MASK_BITS, type Relative, type Signature, Tag } from './signature.js';

let allowed: boolean | undefined;

/** Whether code may be generated from strings: not under `--disallow-code-generation-from-strings`. */
export function canGenerate(): boolean {
  if (allowed === undefined) {
    try {
      allowed = new Function('return true')() as boolean;
    } catch {
      allowed = false;
    }
  }
  return allowed;
}

/** Makes the function that reads rows of a signature. Throws an EvalError where code generation is forbidden. */
export function generate(signature: Signature): CompiledShape {
  const make = new Function('inherited', 'define', 'readRows', 'readTagged', source(signature));
  return make(Object.prototype, define, readRows, readTagged) as CompiledShape;
}

/**
 * A loop over rows, of which each reads its values from the streams in their order and is then one literal. Names in
 * it are the generator's own, but for the keys, which are string literals.
 */
function source(signature: Signature): string {
  const body = new Body();
  const row = body.read(signature);
  return `'use strict';
return (n, g, out) => {
const x = g.ints, y = g.doubles, z = g.text, w = g.raw;
let i = g.i, d = g.d, t = g.t, r = g.r, k = 0;
${body.hoisted}for (; n > 0; n--) {
${body.statements}out.push(${row});
}
g.i = i; g.d = d; g.t = t; g.r = r;
};`;
}

const SAVE = 'g.i = i; g.d = d; g.t = t; g.r = r;';
const RESTORE = 'i = g.i; d = g.d; t = g.t; r = g.r;';

class Body {
  statements = '';
  /** What holds for all rows of a call. */
  hoisted = '';
  private names = 0;

  /** Adds what reads a value of `signature`. Returns an expression for it that reads nothing more. */
  read(signature: Signature): string {
    if (typeof signature !== 'string') {
      if ('o' in signature) return this.readObject(signature.o);
      if ('m' in signature) return this.readFamily(signature.m);
      if ('t' in signature) return `[${signature.t.map((element) => this.read(element)).join(', ')}]`;
      return this.readList(signature.l);
    }
    switch (signature) {
      case 'n':
        return 'null';
      case 'i':
        return this.constant('x[i++]');
      case 'f':
        return this.constant('y[d++]');
      case 'b':
        return this.constant('x[i++] === 1');
      case 's':
        return this.constant(
          `(k = x[i++]) >= 0 ? z.slice(t, t += k) : k <= ${Tag.WORD} ? w[${Tag.WORD} - k] : k === ${Tag.RAW} ? w[r++] : null`,
        );
      case 'a':
        return this.readAny();
      case 'r':
        this.statements += `k = x[i++]; ${SAVE}\n`;
        return this.constant('readRows(g, k)', RESTORE);
    }
  }

  private name(): string {
    return `v${this.names++}`;
  }

  private constant(expression: string, after = ''): string {
    const name = this.name();
    this.statements += `const ${name} = ${expression}; ${after}\n`;
    return name;
  }

  private readObject(members: readonly (readonly [string, Signature])[]): string {
    const properties = members.map(([key, value]) => {
      // JSON is a subset of JavaScript. A computed name makes an own property of `__proto__` too.
      const name = key === '__proto__' ? '["__proto__"]' : JSON.stringify(key);
      return `${name}: ${this.read(value)}`;
    });
    return `{ ${properties.join(', ')} }`;
  }

  /** Members that may be missing are set one by one, so that they come in their order. */
  private readFamily(members: readonly Relative[]): string {
    const masks: string[] = [];
    while (masks.length * MASK_BITS < members.length) masks.push(this.constant('x[i++]'));
    const optional = members.findIndex((member) => member[2] === 1);
    const always = members.slice(0, optional === -1 ? members.length : optional);
    const object = this.constant(this.readObject(always.map(([key, value]) => [key, value] as const)));
    for (let at = always.length; at < members.length; at++) {
      const [key, value] = members[at]!;
      this.statements += `if (${masks[Math.floor(at / MASK_BITS)]} & ${1 << (at % MASK_BITS)}) {\n`;
      const read = this.read(value);
      const name = JSON.stringify(key);
      // See `define`. Prototypes may change between two calls, though not within one.
      const inherited = this.name();
      this.hoisted += `const ${inherited} = ${name} in inherited;\n`;
      this.statements += `if (${inherited}) define(${object}, ${name}, ${read});
else ${object}[${name}] = ${read};\n}\n`;
    }
    return object;
  }

  private readList(element: Signature): string {
    const list = this.name();
    this.statements += `let ${list} = []; const m${list} = x[i++];\nfor (let m = m${list}; m > 0; m--) {\n`;
    const value = this.read(element);
    this.statements += `${list}.push(${value});\n}\n`;
    // An array that grew has room for a dozen more, which a copy has not.
    this.statements += `if (m${list} < ${SHORT_LIST}) ${list} = ${list}.slice();\n`;
    return list;
  }

  private readAny(): string {
    const name = this.name();
    this.statements += `let ${name}; k = x[i++];
if (k >= 0) ${name} = z.slice(t, t += k);
else if (k <= ${Tag.WORD}) ${name} = w[${Tag.WORD} - k];
else if (k === ${Tag.INT}) ${name} = x[i++];
else if (k === ${Tag.RAW}) ${name} = w[r++];
else if (k === ${Tag.DOUBLE}) ${name} = y[d++];
else if (k >= ${Tag.FALSE}) ${name} = k === ${Tag.NULL} ? null : k === ${Tag.TRUE};
else { ${SAVE} ${name} = readTagged(g, k); ${RESTORE} }
`;
    return name;
  }
}
