import { DependencyError } from '../errors.js';
import { invalid } from '../validate.js';
import { type LifecyclePhase, PHASES, type StartContext, type StopContext } from './options.js';

/** A part of how a resource stops; servers have two. */
export interface Step {
  readonly phase: LifecyclePhase;
  stop(context: StopContext): unknown;
}

/** A resource that is registered. */
export interface Entry {
  readonly name: string;
  readonly dependsOn: readonly string[];
  /** Milliseconds for each step. */
  readonly timeout: number;
  readonly steps: readonly Step[];
  readonly start?: ((context: StartContext) => unknown) | undefined;
  /** The latest call of `start`, which is over once that has settled. */
  starting?: Promise<void> | undefined;
  isStarted?: boolean;
  /** A shutdown has begun. */
  drain?(): void;
  /** What would be cut off now. */
  inFlight?(): { requests: number; connections: number };
  /** It is no longer registered. */
  release?(): void;
}

/** The resources by name, without a cycle. */
export class Graph {
  readonly entries = new Map<string, Entry>();

  /** @throws InvalidArgumentError for a name that is taken, DependencyError for what cannot be depended on */
  add(entry: Entry): void {
    const { name, dependsOn } = entry;
    if (this.entries.has(name)) invalid('name', 'a name that no other resource has', name);
    for (const wanted of dependsOn) {
      if (wanted !== name && !this.entries.has(wanted)) throw new DependencyError(name, [name, wanted]);
      const back = this.#path(wanted, name, new Set());
      if (back !== undefined) throw new DependencyError(name, [name, ...back]);
    }
    this.entries.set(name, entry);
  }

  /** Names that lead from one to another. What depends on a name that was given back has kept it. */
  #path(from: string, to: string, seen: Set<string>): string[] | undefined {
    if (from === to) return [to];
    if (seen.has(from)) return undefined;
    seen.add(from);
    for (const next of this.entries.get(from)?.dependsOn ?? []) {
      const rest = this.#path(next, to, seen);
      if (rest !== undefined) return [from, ...rest];
    }
    return undefined;
  }
}

/** Which of some resources depend on each name. */
export function dependentsOf(entries: Iterable<Entry>): Map<string, Entry[]> {
  const found = new Map<string, Entry[]>();
  for (const entry of entries) {
    for (const name of entry.dependsOn) {
      const list = found.get(name);
      if (list === undefined) found.set(name, [entry]);
      else list.push(entry);
    }
  }
  return found;
}

/**
 * In which phase each step of some resources comes: its own, or a later one where a resource that stops before it has to wait for
 * that. So what a logger depends on stops with the loggers.
 */
export function ranksOf(entries: ReadonlyMap<string, Entry>): Map<Entry, number[]> {
  const dependents = dependentsOf(entries.values());
  const ranks = new Map<Entry, number[]>();
  const rank = (entry: Entry): number[] => {
    const known = ranks.get(entry);
    if (known !== undefined) return known;
    let least = 0;
    for (const other of dependents.get(entry.name) ?? []) least = Math.max(least, rank(other).at(-1)!);
    const found = entry.steps.map(({ phase }) => {
      least = Math.max(least, PHASES.indexOf(phase));
      return least;
    });
    ranks.set(entry, found);
    return found;
  };
  for (const entry of entries.values()) rank(entry);
  return ranks;
}
