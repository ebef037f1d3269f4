import { isDeepStrictEqual } from 'node:util';

/** Records as services have them, of which the last lacks a member and the names have characters of every width. */
export function records(count: number): object[] {
  const names = ['Ann', 'Zoë', 'Łukasz', '吉田', '😀'];
  return Array.from({ length: count }, (_, id) => ({
    id,
    name: `${names[id % names.length]} ${id}`,
    score: id / 7,
    active: id % 3 === 0,
    tags: ['a', `b${id % 10}`, 'a longer tag that is not cut to pieces'],
    address: {
      city: `City ${id % 50}`,
      zip: null,
      ...(id % 11 === 0 ? { extra: { deep: [id, [id]] } } : {}),
    },
  }));
}

const made = new Map<number, string>();

/** JSON of some `bytes` or more of records, always the same. */
export function recordsText(bytes: number): string {
  let text = made.get(bytes);
  if (text === undefined) {
    text = JSON.stringify(records(Math.ceil(bytes / 120)));
    if (Buffer.byteLength(text) < bytes) throw new Error('records are smaller than thought');
    made.set(bytes, text);
  }
  return text;
}

/** Fails unless `value` is deeply and strictly `expected`; jest's own way takes seconds for a megabyte. */
export function expectSame(value: unknown, expected: unknown): void {
  expect(isDeepStrictEqual(value, expected)).toBe(true);
}

/** Resolves what a promise rejects with; fails if it does not. */
export async function rejection(promise: Promise<unknown>): Promise<any> {
  return promise.then(
    (value) => {
      throw new Error(`resolved ${JSON.stringify(value)?.slice(0, 100)}`);
    },
    (error) => error,
  );
}

/** Resolves after what is due in this turn of the event loop. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Resolves once `condition` holds, which is looked at in every turn of the event loop. */
export async function until(condition: () => boolean): Promise<void> {
  const limit = performance.now() + 20_000;
  while (!condition()) {
    if (performance.now() > limit) throw new Error(`waited in vain for ${condition}`);
    await nextTurn();
  }
}

/** A signal that counts its listeners; once it has aborted they are gone. */
export function countingSignal(): {
  controller: AbortController;
  signal: AbortSignal;
  listeners: () => number;
} {
  const controller = new AbortController();
  const { signal } = controller;
  let count = 0;
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = (...args: any[]) => {
    count += 1;
    return Reflect.apply(addEventListener, signal, args);
  };
  signal.removeEventListener = (...args: any[]) => {
    count -= 1;
    return Reflect.apply(removeEventListener, signal, args);
  };
  return { controller, signal, listeners: () => (signal.aborted ? 0 : count) };
}
