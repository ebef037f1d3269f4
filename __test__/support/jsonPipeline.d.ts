/** How a {@link Pipeline} goes about a text. */
export interface Cuts {
  /** Bytes of a group. @default 65536 */
  groupBytes?: number;
  /** Units or bytes of the pieces in which the text is pushed, over and over. @default [65536] */
  sizes?: readonly number[];
  /** @default 'auto' */
  mode?: 'auto' | 'sliced';
}

/** The way of large texts through native threads, for texts of any size and with cuts anywhere. */
export class Pipeline {
  /** @param threads @default 1 */
  constructor(threads?: number);
  /** As JSONWorkerPool.parse. */
  parse(data: string | Uint8Array, cuts?: Cuts): Promise<unknown>;
  /** Ends the threads. */
  close(): void;
}
