import { define } from './define.js';

/** A container that is being filled, and under which name its children that are containers go in. */
type Target = unknown[] | Record<string, unknown>;

/** Puts a document together from groups of children and from containers that open and close. */
export class Builder {
  /** The children of the root: in the end a single one, but for lines. */
  root: unknown[] = [];
  readonly #outer: Target[] = [];
  #target: Target = this.root;

  /** Whether no container is open. */
  get atRoot(): boolean {
    return this.#outer.length === 0;
  }

  /** Opens `container` in the innermost open one. @param key JSON of its name, where that one is an object */
  open(container: Target, key: string): void {
    const target = this.#target;
    if (Array.isArray(target)) target.push(container);
    else define(target, JSON.parse(key) as string, container);
    this.#outer.push(target);
    this.#target = container;
  }

  close(): void {
    this.#target = this.#outer.pop()!;
  }

  /** The innermost open container, an array. */
  get array(): unknown[] {
    return this.#target as unknown[];
  }

  /** Appends `values` to the innermost open container, an array. */
  append(values: unknown[]): void {
    const target = this.array;
    for (let index = 0; index < values.length; index++) target.push(values[index]);
  }

  /** Adds members to the innermost open container, an object. */
  assign(names: readonly unknown[], values: unknown[]): void {
    const target = this.#target as Record<string, unknown>;
    for (let index = 0; index < values.length; index++) define(target, names[index] as string, values[index]);
  }

  /** Adds the members of `part`. */
  merge(part: Record<string, unknown>): void {
    const target = this.#target as Record<string, unknown>;
    for (const key of Object.keys(part)) define(target, key, part[key]);
  }

  /** Takes out what the root holds. */
  drain(): unknown[] {
    const { root } = this;
    this.root = [];
    if (this.atRoot) this.#target = this.root;
    return root;
  }
}
