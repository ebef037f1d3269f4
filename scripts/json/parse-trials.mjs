// Puts documents to JSON.parse and to the pool, and tells where these differ.
import { difference } from '../../__test__/support/jsonSame.js';
import { misreadsNames } from '../../__test__/support/v8Names.js';

/** A member name with a backslash in it, or what looks like one. */
const BACKSLASH_IN_NAME = /(?:\\\\|\\u005c)(?:[^"\\]|\\.)*"\s*:/i;

/** Whether JSON.parse can be trusted with a text, and with others after it. */
export function isSafe(text) {
  return !misreadsNames || !BACKSLASH_IN_NAME.test(text);
}

/** What JSON.parse makes of a text or of bytes, and where it says that it found a fault, if it does. */
export function judge(data) {
  const text = typeof data === 'string' ? data : data.toString();
  try {
    return { text, value: JSON.parse(text) };
  } catch ({ message }) {
    const position = /at position (\d+)/.exec(message)?.[1];
    return position === undefined ? { text } : { text, position: Number(position) };
  }
}

const accepts = (verdict) => 'value' in verdict;

/** How the outcome of a call differs from the verdict on its text, or undefined. */
export function compare({ status, value, reason }, verdict) {
  if (status === 'fulfilled') {
    return accepts(verdict) ? difference(value, verdict.value) : 'accepted what JSON.parse refuses';
  }
  if (accepts(verdict)) return `refused: ${reason?.stack ?? reason}`;
  const { position, line, column } = reason;
  if (!(reason instanceof SyntaxError)) return `failed otherwise: ${reason?.stack ?? reason}`;
  const isPlace = Number.isInteger(position) && position >= 0 && position <= verdict.text.length;
  if (!isPlace || position !== (verdict.position ?? position)) {
    return `the fault is at ${position}, not at ${verdict.position}`;
  }
  const lines = verdict.text.slice(0, position).split('\n');
  const due = [lines.length, lines.at(-1).length + 1];
  return line === due[0] && column === due[1]
    ? undefined
    : `line ${line}, column ${column} instead of ${due}`;
}

const GROUPS = [1, 2, 7, 64, 300, 4096, 65_536];
const SIZES = [[1], [2], [3], [5], [17], [1, 40], [64], [1000]];

/** Cuts for a text of `length` units or bytes, with a limit to the number of pieces. */
export function anyCuts(random, length) {
  const fitting = SIZES.filter(([size]) => length / size < 40);
  return {
    groupBytes: random.one(GROUPS),
    sizes: fitting.length === 0 || random.chance(0.5) ? [65_536] : random.one(fitting),
    mode: random.chance(0.8) ? 'auto' : 'sliced',
  };
}

/** How the texts of several documents become one, and where each value then is. */
const ROWS = [
  { row: (text) => text, pick: (value) => value },
  { row: (text) => text, pick: (value) => value },
  { row: (text, index) => `{"id":${index},"of":${text},"end":"${index}"}`, pick: ({ of }) => of },
  { row: (text, index) => `[${text},${index}]`, pick: ([value]) => value },
];
const WHOLES = [
  { whole: (all) => all, pick: (value) => value },
  { whole: (all) => all, pick: (value) => value },
  { whole: (all) => `{"count":1,"items":${all},"end":null}`, pick: ({ items }) => items },
  { whole: (all) => `[[1,2],${all} , "end"]`, pick: (value) => value[1] },
];

/** Makes one text of texts that are JSON: the elements of an array or the members of an object, maybe inside another. */
export function join(random, texts) {
  const space = random.one(['', '', ' ', '\n']);
  const asObject = random.chance(0.3);
  const [rows, wholes] = [random.one(ROWS), random.one(WHOLES)];
  const children = texts.map(
    (text, index) => (asObject ? `"_${index}":${space}` : '') + rows.row(text, index),
  );
  const text = wholes.whole((asObject ? '{' : '[') + children.join(`${space},`) + (asObject ? '}' : ']'));
  return { text, pick: (value) => Object.values(wholes.pick(value)).map(rows.pick) };
}

/** Removes parts of a list while `fails` holds. */
export async function shrink(list, fails, most = 300) {
  let left = list;
  let tries = 0;
  for (let size = Math.ceil(left.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < left.length && tries < most; tries++) {
      const shorter = left.slice(0, at).concat(left.slice(at + size));
      if (await fails(shorter)) left = shorter;
      else at += size;
    }
  }
  return left;
}
