const PREFIX = 'product:';
const FIRST_ID = 10_000_000;
const hashed = new Set();

/**
 * What the cached things are: `key` is one string object that is used again and again, `tail` is what a service
 * joins with a prefix to make the key afresh (16 characters, no hash in it yet), and the record is the value.
 */
function makeRecord(index) {
  const tail = String(FIRST_ID + index);
  const key = PREFIX + tail;
  // Makes V8 flatten the key and compute its hash now: a reused string is one that has been looked up before.
  hashed.has(key);
  return { id: index, key, tail };
}

export const freshKey = (record) => PREFIX + record.tail;

/** Records by index, made when first asked for: a trace touches only some of a large key space. */
export class Records {
  #made = [];

  at(index) {
    this.#made[index] ??= makeRecord(index);
    return this.#made[index];
  }

  /** The records that a trace of indexes visits, in its order. */
  follow(trace) {
    return Array.from(trace, (index) => this.at(index));
  }
}
