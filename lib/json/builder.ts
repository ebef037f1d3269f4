import { define } from './define.js';

/** A container that is being filled. */
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

  /**
   * Opens containers, each inside the one before and the first one inside the innermost open one.
   *
   * @param kinds 0 for each array, 1 for each object
   * @param names of those that open in an object
   */
  open(kinds: Int32Array, count: number, names: readonly string[]): void {
    // From the inside out: an array that is made with its element has no room for a dozen others.
    let inner: Target = kinds[count - 1] === 0 ? [] : {};
    let name = names.length;
    const opened = [inner];
    for (let index = count - 2; index >= 0; index--) {
      inner = kinds[index] === 0 ? [inner] : member(names[--name]!, inner);
      opened.push(inner);
    }
    const target = this.#target;
    if (Array.isArray(target)) target.push(inner);
    else define(target, names[0]!, inner);
    this.#outer.push(target);
    while (opened.length > 1) this.#outer.push(opened.pop()!);
    this.#target = opened[0]!;
  }

  /** Closes the `count` innermost containers. */
  close(count: number): void {
    const left = this.#outer.length - count;
    this.#target = this.#outer[left]!;
    this.#outer.length = left;
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

function member(name: string, value: Target): Target {
  const object = {};
  define(object, name, value);
  return object;
}
