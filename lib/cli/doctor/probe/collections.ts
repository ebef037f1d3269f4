import type { AnyFunction, CollectionNote, Kit, Stack } from './types.js';

/**
 * Watches Maps and Sets that get new entries. Runs within the service, so that nothing of this module's scope is there.
 * No walk of the heap is needed: whatever grows passes here. Small collections cost two readings of their size.
 */
export function watchCollections(kit: Kit, minSize: number) {
  interface Entry extends Omit<CollectionNote, 'stacks'> {
    ref: WeakRef<object>;
    /** The count of additions from which the next one is looked at. */
    nextLook: number;
    stacks: Record<string, Stack>;
  }
  const { apply } = Reflect;
  const stackBelow = kit.stacks();
  const MOST = 10_000;
  let entries: Entry[] = [];
  const known = new WeakMap<object, Entry>();
  const mapSize = Object.getOwnPropertyDescriptor(Map.prototype, 'size')!.get!;
  const setSize = Object.getOwnPropertyDescriptor(Set.prototype, 'size')!.get!;
  let last = 0;

  function enter(kind: CollectionNote['kind'], collection: object): Entry | undefined {
    if (entries.length >= MOST) return undefined;
    const name = Object.getPrototypeOf(collection)?.constructor?.name;
    const entry = {
      id: ++last,
      kind,
      name: typeof name === 'string' ? name : '',
      added: 0,
      nextLook: 0,
      ref: new WeakRef(collection),
      stacks: Object.create(null),
    };
    entries.push(entry);
    known.set(collection, entry);
    return entry;
  }

  function added(entry: Entry, count: number, below: AnyFunction): void {
    entry.added += count;
    if (entry.added < entry.nextLook) return;
    // Each of the first, then fewer and fewer: a busy collection leaves time for the others. At random, as those that
    // add to it may take turns.
    entry.nextLook = entry.added + 1 + Math.floor(Math.random() * (entry.added >>> 4));
    const frames = stackBelow(below);
    const [top] = frames;
    if (top === undefined) return;
    const key = `${top.file}:${top.line}:${top.column}`;
    entry.stacks[key] ??= { frames, count: 0 };
    entry.stacks[key].count++;
  }

  function grown(collection: object, kind: CollectionNote['kind'], count: number, below: AnyFunction): void {
    const entry = known.get(collection) ?? enter(kind, collection);
    if (entry) added(entry, count, below);
  }

  function watchMethod(prototype: object, method: string, kind: 'Map' | 'Set', size: AnyFunction): void {
    kit.replace(prototype, method, (original) => {
      function ours(this: object, key: unknown, value: unknown): unknown {
        if (!kit.on) return apply(original, this, [key, value]);
        const before = sizeOf(this);
        const result = apply(original, this, [key, value]);
        const after = sizeOf(this);
        if (after > before && after >= minSize) kit.aside(() => grown(this, kind, after - before, ours));
        return result;
      }
      return ours;
      function sizeOf(collection: object): number {
        try {
          return apply(size, collection, []) as number;
        } catch {
          return 0; // It is no collection, of which the original complains.
        }
      }
    });
  }
  watchMethod(Map.prototype, 'set', 'Map', mapSize);
  watchMethod(Set.prototype, 'add', 'Set', setSize);

  /** An array's own `push`, not enumerable, is called by that array only. */
  function watchPushes(array: unknown[], entry: Entry): void {
    const original = array.push;
    if (!Object.isExtensible(array) || Object.hasOwn(array, 'push')) return;
    function push(this: unknown[], ...items: unknown[]): number {
      const before = this.length;
      const result = apply(original, this, items);
      const count = this.length - before;
      if (kit.on && this === entry.ref.deref()) kit.aside(() => added(entry, count, push));
      return result;
    }
    Object.defineProperty(array, 'push', { value: push, configurable: true, writable: true });
    kit.undo(() => {
      const held = entry.ref.deref() as unknown[] | undefined;
      if (held && Object.getOwnPropertyDescriptor(held, 'push')?.value === push) {
        Reflect.deleteProperty(held, 'push');
      }
    });
  }

  const sizes: Record<CollectionNote['kind'], (collection: object) => number> = {
    Map: (collection) => apply(mapSize, collection, []),
    Set: (collection) => apply(setSize, collection, []),
    array: (collection) => (collection as unknown[]).length,
    object: (collection) => Object.keys(collection).length,
  };

  return {
    watch(found: object[], kind: 'array' | 'object'): void {
      const { prototype } = kind === 'array' ? Array : Object;
      for (const one of found) {
        if (Object.getPrototypeOf(one) !== prototype || sizes[kind](one) < minSize) continue;
        const entry = enter(kind, one);
        if (entry && kind === 'array') watchPushes(one as unknown[], entry);
      }
    },
    sizes(): [number, number][] {
      const all: [number, number][] = [];
      entries = entries.filter(({ id, kind, ref }) => {
        const collection = ref.deref();
        if (collection !== undefined) all.push([id, sizes[kind](collection)]);
        return collection !== undefined;
      });
      return all;
    },
    pick: (picked: number) => entries.find(({ id }) => id === picked)?.ref.deref(),
    held: (ids: number[]) =>
      entries.filter(({ id, ref }) => ids.includes(id) && ref.deref() !== undefined).map(({ id }) => id),
    notes: (): CollectionNote[] =>
      entries.map(({ id, kind, name, added, stacks }) => ({
        id,
        kind,
        name,
        added,
        stacks: Object.values(stacks).sort((a, b) => b.count - a.count),
      })),
  };
}
