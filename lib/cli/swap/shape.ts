/** What a file exports, however that was found out. */
export interface Shape {
  exports: Exported[];
  /** Modules of `export * from`. */
  stars: string[];
  /** `equals` is `export =` or `module.exports = value`, whose one export goes by the name `=`. */
  style: 'esm' | 'commonjs' | 'equals';
}

export interface Exported {
  /** `default` and `=` are names too. */
  name: string;
  /** What it is called inside of the file; undefined for an expression. */
  local: string | undefined;
  /** `instance`: made by `new` of the class that `local` names. `unknown`: imported from elsewhere. */
  kind: 'class' | 'value' | 'type' | 'instance' | 'unknown';
  /** The module that it comes from, unless this one declares it. */
  from: string | undefined;
}

/** Collects a file's top-level names, which may be exported before they are declared. */
export class ShapeBuilder {
  readonly #exports: Exported[] = [];
  readonly #declared = new Map<string, { kind: Exported['kind']; from?: string }>();
  readonly #stars: string[] = [];
  #commonjs = false;

  declare(name: string, kind: Exported['kind'], from?: string): void {
    // The value of a class and an interface of one name is what matters.
    if (kind === 'type' && this.#declared.has(name)) return;
    this.#declared.set(name, from === undefined ? { kind } : { kind, from });
  }

  /** An export of a declared name; `typeOnly` where the statement says so. */
  export(name: string, local: string, typeOnly = false): void {
    this.#exports.push({ name, local, kind: typeOnly ? 'type' : 'unknown', from: undefined });
  }

  exportFrom(name: string, local: string, from: string, typeOnly: boolean): void {
    this.#exports.push({ name, local, kind: typeOnly ? 'type' : 'unknown', from });
  }

  exportExpression(name: string, instanceOf?: string): void {
    const kind = instanceOf === undefined ? 'value' : 'instance';
    this.#exports.push({ name, local: instanceOf, kind, from: undefined });
  }

  star(from: string): void {
    this.#stars.push(from);
  }

  commonjs(): void {
    this.#commonjs = true;
  }

  build(): Shape {
    const byName = new Map<string, Exported>();
    for (const entry of this.#exports) {
      const found = this.#resolve(entry);
      const other = byName.get(found.name);
      if (other === undefined || other.kind === 'type') byName.set(found.name, found);
    }
    const style = byName.has('=') ? 'equals' : this.#commonjs ? 'commonjs' : 'esm';
    return { exports: [...byName.values()], stars: this.#stars, style };
  }

  #resolve(entry: Exported): Exported {
    const declared = entry.local === undefined ? undefined : this.#declared.get(entry.local);
    if (declared === undefined || entry.from !== undefined || entry.kind === 'instance') return entry;
    const kind = entry.kind === 'type' ? 'type' : declared.kind;
    return { ...entry, kind, from: declared.from };
  }
}
