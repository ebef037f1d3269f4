import { ALL_MEMBER, memberOfKey, memberOfTag, type Remote } from './remote.js';

/** More than so many keys and tags become one clearing. */
const MOST = 100_000;
/** Of them at once. */
const BATCH = 200;

/**
 * What was changed while Redis did not answer. Others may have changed the same meanwhile, so that it is invalidated there
 * once Redis is back, and not stored.
 */
export class Owed {
  readonly #keys = new Set<string>();
  readonly #tags = new Set<string>();
  #all = false;

  get size(): number {
    return this.#keys.size + this.#tags.size + Number(this.#all);
  }

  key(key: string): void {
    if (!this.#all) this.#keys.add(key);
    this.#bound();
  }

  tag(tag: string): void {
    if (!this.#all) this.#tags.add(tag);
    this.#bound();
  }

  all(): void {
    this.#keys.clear();
    this.#tags.clear();
    this.#all = true;
  }

  #bound(): void {
    if (this.size > MOST) this.all();
  }

  /** @throws RedisError; what is not done by then stays */
  async pay(remote: Remote): Promise<void> {
    if (this.#all) {
      this.#all = false;
      await this.#try(
        () => remote.tell([ALL_MEMBER]),
        () => this.all(),
      );
    }
    while (this.#tags.size > 0) {
      const tags = take(this.#tags);
      await this.#try(
        () => remote.tell(tags.map(memberOfTag)),
        () => add(this.#tags, tags),
      );
    }
    while (this.#keys.size > 0) {
      const keys = take(this.#keys);
      const change = async (): Promise<unknown> => {
        await Promise.all(keys.map((key) => remote.delete(key)));
        return remote.tell(keys.map(memberOfKey));
      };
      await this.#try(change, () => add(this.#keys, keys));
    }
  }

  async #try(pay: () => Promise<unknown>, owe: () => void): Promise<void> {
    try {
      await pay();
    } catch (error) {
      owe();
      throw error;
    }
  }
}

function take(set: Set<string>): string[] {
  const taken = [...set].slice(0, BATCH);
  for (const one of taken) set.delete(one);
  return taken;
}

function add(set: Set<string>, all: readonly string[]): void {
  for (const one of all) set.add(one);
}
