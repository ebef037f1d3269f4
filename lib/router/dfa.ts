const PERCENT = 37;
/** Where, in an automaton, the classes of bytes and the states begin: see crates/core/src/router/flatten.rs. */
const CLASSES = 3;
const STATES = 259;

/**
 * Whether the text of `path` from `at` to `end`, decoded, is matched in whole by the automaton at `dfa`: one step for
 * each byte of its UTF-8, whatever the regex.
 */
export function acceptsSegment(
  trie: Int32Array,
  dfa: number,
  path: string,
  at: number,
  end: number,
): boolean {
  const classes = dfa + CLASSES;
  const states = dfa + STATES;
  let state = trie[dfa]!;
  for (let i = at; i < end; i++) {
    const unit = path.charCodeAt(i);
    if (unit === PERCENT || unit > 127) return acceptsEncoded(trie, dfa, path.slice(at, end));
    state = trie[states + state + trie[classes + unit]!]!;
    if (state === 0) return false;
  }
  return mayEnd(trie, dfa, state);
}

function acceptsEncoded(trie: Int32Array, dfa: number, text: string): boolean {
  let decoded: string;
  try {
    decoded = decodeURIComponent(text);
  } catch {
    return false;
  }
  let state = trie[dfa]!;
  for (const byte of Buffer.from(decoded)) {
    state = trie[dfa + STATES + state + trie[dfa + CLASSES + byte]!]!;
    if (state === 0) return false;
  }
  return mayEnd(trie, dfa, state);
}

function mayEnd(trie: Int32Array, dfa: number, state: number): boolean {
  return trie[dfa + STATES + state + trie[dfa + 1]! - 1] === 1;
}
