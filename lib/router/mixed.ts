import type { RouterIndex } from './native.js';

/**
 * Matches the text of `path` from `at` to `end` against parameters with literals between them, each parameter taking
 * the shortest text that lets the rest match. Without regexes the first place of each literal is as good as any
 * later one, so that nothing is tried twice.
 *
 * @returns how many offsets are in use then, or -1
 */
export function matchMixed(
  trie: Int32Array,
  data: number,
  path: string,
  at: number,
  end: number,
  offsets: Int32Array,
  used: number,
): number {
  let literal = data + 1;
  for (let left = trie[data]!; left > 0; left--) {
    const length = trie[literal++]!;
    // The last literal stands at the end; no literal there leaves the rest to the parameter.
    const from = left === 1 ? end - length : at + 1;
    const found =
      left === 1
        ? suffix(trie, literal, length, path, from, at + 1)
        : locate(trie, literal, length, path, from, end);
    if (found < 0) return -1;
    offsets[used++] = at;
    offsets[used++] = found;
    at = found + length;
    literal += length;
  }
  return used;
}

function suffix(
  trie: Int32Array,
  literal: number,
  length: number,
  path: string,
  from: number,
  least: number,
): number {
  return from >= least && equals(trie, literal, length, path, from) ? from : -1;
}

function locate(
  trie: Int32Array,
  literal: number,
  length: number,
  path: string,
  from: number,
  end: number,
): number {
  for (let place = from; place + length <= end; place++) {
    if (equals(trie, literal, length, path, place)) return place;
  }
  return -1;
}

function equals(trie: Int32Array, literal: number, length: number, path: string, at: number): boolean {
  for (let i = 0; i < length; i++) if (path.charCodeAt(at + i) !== trie[literal + i]) return false;
  return true;
}

/**
 * The same where one of the parameters has a regex: one linear-time match of the whole text in Rust, on the decoded
 * text, as for a parameter that is a segment of its own.
 */
export function matchMixedRegex(
  index: RouterIndex,
  trie: Int32Array,
  data: number,
  text: string,
  at: number,
  offsets: Int32Array,
  used: number,
): number {
  const count = trie[data + 1]!;
  const places = text.includes('%') ? decodedPlaces(text) : undefined;
  if (places === null) return -1;
  const groups = new Int32Array(2 * count);
  if (!index.matchMixed(trie[data]!, places?.decoded ?? text, groups)) return -1;
  for (const group of groups) offsets[used++] = at + (places?.from[group] ?? group);
  return used;
}

/** The decoded text, and for each of its units where it comes from; null where an escape is malformed. */
function decodedPlaces(text: string): { decoded: string; from: number[] } | null {
  const from: number[] = [];
  let decoded = '';
  for (const { 0: piece, index } of text.matchAll(/(?:%[0-9a-f]{2})+|[^%]+|%/gi)) {
    if (!piece.startsWith('%')) {
      for (let i = 0; i < piece.length; i++) from.push(index + i);
      decoded += piece;
      continue;
    }
    let plain: string;
    try {
      plain = decodeURIComponent(piece);
    } catch {
      return null;
    }
    let place = index;
    for (const character of plain) {
      for (let i = 0; i < character.length; i++) from.push(place);
      place += 3 * Buffer.byteLength(character);
    }
    decoded += plain;
  }
  from.push(text.length);
  return { decoded, from };
}
