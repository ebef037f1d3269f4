import { type Exported, type Shape, ShapeBuilder } from './shape.js';
import { type Token, tokensOf } from './tokens.js';

const MODIFIERS = new Set(['declare', 'abstract', 'async']);
const KINDS: Readonly<Record<string, Exported['kind']>> = {
  class: 'class',
  function: 'value',
  enum: 'value',
  namespace: 'value',
  const: 'value',
  let: 'value',
  var: 'value',
  interface: 'type',
  type: 'type',
};

/**
 * Reads a file's exports without a compiler, for projects that have none. It looks at statements of the top level only,
 * and what it does not understand it takes for an export that nobody knows: such a file is left alone.
 */
export function shapeByScan(text: string): Shape {
  const scan = new Scan(tokensOf(text));
  while (!scan.done) scan.statement();
  return scan.builder.build();
}

class Scan {
  readonly builder = new ShapeBuilder();
  #at = 0;

  constructor(private readonly tokens: Token[]) {}

  get done(): boolean {
    return this.#at >= this.tokens.length;
  }

  statement(): void {
    const { depth, kind, text } = this.tokens[this.#at]!;
    const start = this.#at;
    if (depth !== 0 || kind !== 'word') this.#at += 1;
    else if (text === 'export') this.#export();
    else if (text === 'import') this.#import();
    else if (text === 'module' || text === 'exports') this.#commonjs();
    else this.#declaration(false);
    if (this.#at === start) this.#at += 1;
  }

  #is(text: string, offset = 0): boolean {
    const token = this.tokens[this.#at + offset];
    return token !== undefined && token.kind !== 'string' && token.text === text;
  }

  #take(text: string): boolean {
    if (!this.#is(text)) return false;
    this.#at += 1;
    return true;
  }

  #word(): string | undefined {
    const token = this.tokens[this.#at];
    if (token?.kind !== 'word') return undefined;
    this.#at += 1;
    return token.text;
  }

  #export(): void {
    this.#at += 1;
    if (this.#take('=')) this.#value('=');
    else if (this.#take('default')) this.#default();
    else if (this.#take('*')) this.#star();
    else if (this.#is('{') || (this.#is('type') && this.#is('{', 1))) {
      const typeOnly = this.#take('type');
      this.#list(this.#names(), typeOnly);
    } else if (!this.#declaration(true)) this.builder.exportExpression('?');
  }

  #default(): void {
    while (MODIFIERS.has(this.tokens[this.#at]?.text ?? '')) this.#at += 1;
    const kind = this.#is('class') || this.#is('function') || this.#is('interface');
    if (!kind) {
      this.#value('default');
      return;
    }
    const keyword = this.#word()!;
    this.#take('*');
    const name = this.#word();
    if (name === undefined || name === 'extends' || name === 'implements')
      this.builder.exportExpression('default');
    else {
      this.builder.declare(name, KINDS[keyword]!);
      this.builder.export('default', name, keyword === 'interface');
    }
  }

  #star(): void {
    const name = this.#take('as') ? this.#word() : undefined;
    this.#take('from');
    const from = this.tokens[this.#at]?.text ?? '?';
    if (name === undefined) this.builder.star(from);
    else this.builder.exportExpression(name);
  }

  /** The `{ a, b as c, type d }` at hand, or with `:` in place of `as`. */
  #names(): { local: string; name: string; typeOnly: boolean }[] {
    const found: { local: string; name: string; typeOnly: boolean }[] = [];
    const { depth } = this.tokens[this.#at]!;
    this.#at += 1;
    while (!this.done && this.tokens[this.#at]!.depth > depth) {
      const typeOnly = this.#is('type') && !this.#is(',', 1) && !this.#is('}', 1) && !this.#is('as', 1);
      if (typeOnly) this.#at += 1;
      const local = this.#word();
      if (local === undefined) this.#at += 1;
      else {
        const renamed = this.#take('as') || this.#take(':');
        found.push({ local, name: renamed ? this.#exportedName() : local, typeOnly });
      }
    }
    this.#at += 1;
    return found;
  }

  /** A name after `as`, which may be a string. */
  #exportedName(): string {
    const token = this.tokens[this.#at];
    this.#at += 1;
    return token?.text ?? '?';
  }

  #list(names: { local: string; name: string; typeOnly: boolean }[], typeOnly: boolean): void {
    const from = this.#take('from') ? this.tokens[this.#at]?.text : undefined;
    for (const { local, name, typeOnly: one } of names) {
      if (from === undefined) this.builder.export(name, local, typeOnly || one);
      else this.builder.exportFrom(name, local, from, typeOnly || one);
    }
  }

  #import(): void {
    this.#at += 1;
    const names: { name: string; typeOnly: boolean }[] = [];
    const typeOnly = this.#is('type') && !this.#is('from', 1) && this.#take('type');
    while (!this.done && !this.#is('from') && this.tokens[this.#at]!.kind !== 'string') {
      if (this.#is('{')) names.push(...this.#names());
      else {
        const name = this.#word();
        if (name === undefined) this.#at += 1;
        else names.push({ name, typeOnly: false });
      }
      if (this.#is('=') || this.#is('(') || this.#is(';')) return;
    }
    this.#take('from');
    const from = this.tokens[this.#at]?.text ?? '?';
    for (const one of names)
      this.builder.declare(one.name, typeOnly || one.typeOnly ? 'type' : 'unknown', from);
  }

  /** A declaration, exported or not. False if it is none. */
  #declaration(exported: boolean): boolean {
    while (MODIFIERS.has(this.tokens[this.#at]?.text ?? '')) this.#at += 1;
    const keyword = this.tokens[this.#at]?.text ?? '';
    const kind = Object.hasOwn(KINDS, keyword) ? KINDS[keyword] : undefined;
    if (kind === undefined) return false;
    this.#at += 1;
    const isVariable = keyword === 'const' || keyword === 'let' || keyword === 'var';
    if (isVariable && this.#take('enum')) return this.#named('value', exported);
    if (isVariable && this.#is('{')) return this.#destructured(exported);
    this.#take('*');
    if (!this.#named(kind, exported)) return false;
    if (isVariable) this.#furtherVariables(exported);
    return true;
  }

  #named(kind: Exported['kind'], exported: boolean): boolean {
    const name = this.#word();
    if (name === undefined) return false;
    this.builder.declare(name, kind);
    if (exported) this.builder.export(name, name, kind === 'type');
    return true;
  }

  #destructured(exported: boolean): boolean {
    const names = this.#names();
    const required = this.#is('=') && this.#is('require', 1) ? this.tokens[this.#at + 3]?.text : undefined;
    for (const { name } of names) {
      this.builder.declare(name, required === undefined ? 'value' : 'unknown', required);
      if (exported) this.builder.export(name, name);
    }
    return true;
  }

  /** `, b = 2` of `const a = 1, b = 2`. A comma of a type argument can look like one: then the file is left alone. */
  #furtherVariables(exported: boolean): void {
    while (!this.done) {
      const { depth, kind, text } = this.tokens[this.#at]!;
      const begins =
        depth === 0 && kind === 'word' && (text === 'export' || text === 'import' || text in KINDS);
      if (begins || (depth === 0 && text === ';')) return;
      this.#at += 1;
      const next = this.tokens[this.#at];
      const follows = this.#is('=', 1) || this.#is(':', 1) || this.#is(';', 1);
      if (depth === 0 && kind === 'mark' && text === ',' && next?.kind === 'word' && follows) {
        this.#named('value', exported);
      }
    }
  }

  #commonjs(): void {
    this.#at += this.#is('module') ? 3 : 1;
    const before = this.tokens[this.#at - 1];
    if (before?.text !== 'exports') return;
    if (this.#take('.')) {
      const name = this.#word();
      if (name === undefined || !this.#take('=')) return;
      this.builder.commonjs();
      this.#value(name);
    } else if (this.#take('=')) {
      if (!this.#is('{')) this.#value('=');
      else {
        this.builder.commonjs();
        for (const { local, name } of this.#members()) this.builder.export(local, name);
      }
    }
  }

  /** Members of an object literal: names, and what is no name as an expression. */
  #members(): { local: string; name: string }[] {
    const { depth } = this.tokens[this.#at]!;
    const end = this.tokens.findIndex((token, at) => at > this.#at && token.depth === depth);
    const inner = this.tokens.slice(this.#at + 1, end);
    const plain = inner.every(
      ({ kind, text }) => kind === 'word' || (kind === 'mark' && ',:'.includes(text)),
    );
    if (plain) return this.#names();
    this.builder.exportExpression('?');
    this.#at = end;
    return [];
  }

  /** The value that is exported: a name, `new Name`, or something else. */
  #value(name: string): void {
    const required = this.#required();
    if (required !== undefined) {
      this.builder.exportFrom(name, this.#word() ?? '?', required, false);
      return;
    }
    const isNew = this.#take('new');
    const word = this.#word();
    const ends = this.done || this.#is(';') || this.#is('}') || this.#newStatement();
    if (word !== undefined && isNew) this.builder.exportExpression(name, word);
    else if (word === 'class' || word === 'function') {
      const inner = this.#word();
      if (inner === undefined) this.builder.exportExpression(name);
      else {
        this.builder.declare(inner, KINDS[word]!);
        this.builder.export(name, inner);
      }
    } else if (word !== undefined && ends) this.builder.export(name, word);
    else this.builder.exportExpression(name);
  }

  /** The module of a `require('…').` at hand, which is passed over; undefined where there is none. */
  #required(): string | undefined {
    if (!this.#is('require') || !this.#is('(', 1) || !this.#is(')', 3) || !this.#is('.', 4)) return undefined;
    const { text } = this.tokens[this.#at + 2]!;
    this.#at += 5;
    return text;
  }

  /** Whether a statement begins here, where semicolons are left out. */
  #newStatement(): boolean {
    return this.tokens[this.#at]?.kind === 'word';
  }
}
