/** How figures of several members are put together: see src/metrics.rs. */
export const MERGE = {
  /** By how much a counter has grown. */
  count: 0,
  sum: 1,
  max: 2,
  min: 3,
} as const;

/** A member of those whose figures are put together. The `wake` that it was made with is its maker's to hold. */
export interface NativeMetrics {
  /** Tells all figures: keys, which have no line breaks, one a line, and for each one of {@link MERGE} and a number. */
  publish(keys: string, merges: Uint8Array, values: Float64Array): void;
  /** Has all other members told that somebody wants to hear of them. */
  ask(): void;
  /** Whether somebody wants to hear of this one. */
  isAsked(): boolean;
  /** How many of those that were asked have not told yet. */
  missing(): number;
  /** The keys of all figures of the process, one a line and in order; their values are taken after it. */
  read(): string;
  count(): number;
  take(out: Float64Array): void;
}
