/** A family as the service sends it: see FamilyMessage there. */
export interface Family {
  readonly name: string;
  readonly labels: readonly string[];
  readonly bounds?: readonly number[];
  readonly points: readonly (readonly [
    labels: readonly (string | null)[],
    value: number | readonly number[],
  ])[];
}

/** An update of the service. */
export interface Message {
  /** Seconds since the process began. */
  readonly uptime: number;
  readonly families: readonly Family[];
}

/** Which points of a family are meant: all that have these labels. */
export type At = Readonly<Record<string, string>>;

type Sums = Map<string, { readonly values: number[]; max: number }>;

/** All figures of one moment. Of points that are asked for together sums are made once, for all that ask alike. */
export class Snapshot {
  readonly uptime: number;
  readonly #families: ReadonlyMap<string, Family>;
  readonly #sums = new Map<string, Sums>();

  constructor({ uptime, families }: Message) {
    this.uptime = uptime;
    this.#families = new Map(families.map((family) => [family.name, family]));
  }

  has(name: string): boolean {
    return this.#families.has(name);
  }

  boundsOf(name: string): readonly number[] {
    return this.#families.get(name)?.bounds ?? [];
  }

  /** The combinations of labels that a family has, in its order. */
  groups(name: string, labels: readonly string[]): At[] {
    return [...this.#by(name, labels).keys()].map((key) => {
      const values = JSON.parse(key) as string[];
      return Object.fromEntries(labels.map((label, place) => [label, values[place]!]));
    });
  }

  /** The sum of points; of a histogram those of its parts. */
  sum(name: string, at: At): readonly number[] | undefined {
    return this.#find(name, at)?.values;
  }

  max(name: string, at: At): number | undefined {
    return this.#find(name, at)?.max;
  }

  #find(name: string, at: At) {
    const labels = Object.keys(at);
    return this.#by(name, labels).get(JSON.stringify(labels.map((label) => at[label])));
  }

  #by(name: string, labels: readonly string[]): Sums {
    const key = JSON.stringify([name, ...labels]);
    const found = this.#sums.get(key);
    if (found !== undefined) return found;
    const sums: Sums = new Map();
    this.#sums.set(key, sums);
    const family = this.#families.get(name);
    if (family === undefined) return sums;
    const places = labels.map((label) => family.labels.indexOf(label));
    for (const [of, value] of family.points) {
      const group = JSON.stringify(places.map((place) => of[place] ?? ''));
      const values = typeof value === 'number' ? [value] : value;
      const sum = sums.get(group);
      if (sum === undefined) {
        sums.set(group, { values: [...values], max: values[0]! });
        continue;
      }
      for (const [place, part] of values.entries()) sum.values[place]! += part;
      sum.max = Math.max(sum.max, values[0]!);
    }
    return sums;
  }
}
