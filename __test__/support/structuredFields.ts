// Reads lists of structured fields (RFC 9651, section 4.2), for tests that check what is sent.

export type BareItem = string | number | boolean | Buffer | { token: string };

export interface Item {
  value: BareItem;
  parameters: Record<string, BareItem>;
}

/** Reads a list of items; throws if a text is none. Inner lists, decimals, dates and display strings are not read. */
export function readList(text: string): Item[] {
  let at = 0;
  const fail = (why: string): never => {
    throw new Error(`${why} at ${at} of ${text}`);
  };
  const take = (pattern: RegExp): string | undefined => {
    const found = new RegExp(pattern.source, 'y');
    found.lastIndex = at;
    const [taken] = found.exec(text) ?? [];
    if (taken !== undefined) at += taken.length;
    return taken;
  };
  const bareItem = (): BareItem => {
    const quoted = take(/"(?:[ !#-[\]-~]|\\["\\])*"/);
    if (quoted !== undefined) return quoted.slice(1, -1).replace(/\\(["\\])/g, '$1');
    const bytes = take(/:[A-Za-z0-9+/]*={0,2}:/);
    if (bytes !== undefined) {
      const base64 = bytes.slice(1, -1);
      const value = Buffer.from(base64, 'base64');
      if (value.toString('base64') !== base64) fail('no canonical base64');
      return value;
    }
    const integer = take(/-?\d{1,15}(?![\d.])/);
    if (integer !== undefined) return Number(integer);
    const boolean = take(/\?[01]/);
    if (boolean !== undefined) return boolean === '?1';
    const token = take(/[A-Za-z*][!#$%&'*+.^_`|~0-9A-Za-z:/-]*/);
    return token === undefined ? fail('no item') : { token };
  };
  const item = (): Item => {
    const value = bareItem();
    const parameters: Record<string, BareItem> = {};
    while (take(/; */) !== undefined) {
      const key = take(/[a-z*][a-z0-9_.*-]*/) ?? fail('no key');
      parameters[key] = take(/=/) === undefined ? true : bareItem();
    }
    return { value, parameters };
  };
  const items: Item[] = [];
  take(/ */);
  while (at < text.length) {
    items.push(item());
    take(/[ \t]*/);
    if (at === text.length) break;
    if (take(/,[ \t]*/) === undefined || at === text.length) fail('no further item');
  }
  return items;
}
