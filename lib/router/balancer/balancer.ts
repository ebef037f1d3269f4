/** What a balancer may know of a handler. */
export interface Candidate {
  /** Attempts under way. */
  readonly inFlight: number;
  /** A hash of its id, the same in every process. */
  readonly hash: number;
}

/** Chooses a handler of a group. */
export interface Balancer {
  /**
   * The index of the chosen one.
   *
   * @param weights of the candidates, by index; at least one is above 0, and one with 0 is never chosen
   */
  pick(weights: readonly number[], candidates: readonly Candidate[], req: unknown): number;
  /** The candidates were changed: what was remembered about them is void. */
  reset?(): void;
  /** Weights were changed, and with them their sum by a `factor`. */
  rescale?(factor: number): void;
}
