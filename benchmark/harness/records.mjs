const PREFIX = 'product:';
const FIRST_ID = 10_000_000;
const hashed = new Set();

function makeRecord(index) {
  const key = PREFIX + tailOf(index);
  // Makes V8 flatten the key and compute its hash now: a reused string is one that has been looked up before.
  hashed.has(key);
  return { id: index, key };
}

const tailOf = (index) => String(FIRST_ID + index);

/** The cached things by index, each with its key; made when first asked for, a trace touches only some of them. */
export class Records {
  #made;

  constructor(size) {
    // Of full length at once: filled here and there, it would become a hash table.
    this.#made = new Array(size);
  }

  at(index) {
    this.#made[index] ??= makeRecord(index);
    return this.#made[index];
  }
}

/**
 * How a service comes by its keys. `parts` is prepared ahead, `keyOf` is what it does for each call.
 *
 * - `reused`: the same string object for the same record, flat and with its hash computed.
 * - `fresh`: 16 characters joined for the call, as by a template literal; they have to be flattened and hashed.
 *   Their parts are newly made for each round, since what comes from a socket is in the processor's cache.
 */
export const KEYS = {
  fresh: {
    means: 'keys concatenated for the call',
    parts: (visited) => visited.map(({ id }) => tailOf(id)),
    keyOf: (tail) => PREFIX + tail,
  },
  reused: {
    means: 'the same string objects each time',
    parts: (visited) => visited.map(({ key }) => key),
    keyOf: (key) => key,
  },
};
