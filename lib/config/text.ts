const LONGEST = 60;

/** A value as a message may show it: without the user and password of a URL, and not endless. */
export function redacted(text: string): string {
  const open = text.replace(/:\/\/.*@/s, '://[Redacted]@');
  return open.length > LONGEST ? `${open.slice(0, LONGEST)}…` : open;
}

/** How many letters have to be put in, left out or replaced to make one text of the other. */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, column) => column);
  for (let i = 1; i <= one.length; i++) {
    const next = [i];
    for (let j = 1; j <= other.length; j++) {
      const replaced = row[j - 1]! + Number(one[i - 1] !== other[j - 1]);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[other.length]!;
}

/** The known name that a misspelt one is most like, if it is like one at all. */
export function nearest(name: string, known: Iterable<string>): string | undefined {
  let found: string | undefined;
  // A third of what tells names apart; the prefix does not.
  let least = Math.floor(name.replace(/^KEELSON_/, '').length / 3) + 1;
  for (const candidate of known) {
    const far = distance(name, candidate);
    if (far < least) [found, least] = [candidate, far];
  }
  return found;
}
