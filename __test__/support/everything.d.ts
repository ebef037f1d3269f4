/** Uses all of keelson and destroys nothing; resolves what it found. */
declare function useEverything(keelson: object, options?: { leave?: boolean }): Promise<object>;
declare namespace useEverything {
  /** What it must find, wherever it runs. */
  const FOUND: object;
}
export = useEverything;
