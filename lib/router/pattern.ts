/** The segments of a pattern as it is listed; a slash inside of a regex parts nothing. */
export function segmentsOf(pattern: string): string[] {
  if (pattern === '/') return [];
  const segments: string[] = [];
  let start = 1;
  let isName = false;
  for (let i = 1; i < pattern.length; i++) {
    const character = pattern[i];
    if (character === '/') {
      segments.push(pattern.slice(start, i));
      start = i + 1;
      isName = false;
    } else if (character === ':') {
      isName = pattern[i + 1] !== ':';
      if (!isName) i++;
    } else if (character === '(' && isName) {
      i += regexAt(pattern, i).length + 1;
      isName = false;
    }
  }
  return [...segments, pattern.slice(start)];
}

/** The regex between the parenthesis at `open` and the one that closes it; the index has found it well-formed. */
export function regexAt(pattern: string, open: number): string {
  let depth = 0;
  let inClass = false;
  for (let i = open; i < pattern.length; i++) {
    const character = pattern[i];
    if (character === '\\') i++;
    else if (inClass) inClass = character !== ']';
    else if (character === '[') inClass = true;
    else if (character === '(') depth++;
    else if (character === ')' && --depth === 0) return pattern.slice(open + 1, i);
  }
  return pattern.slice(open + 1);
}
