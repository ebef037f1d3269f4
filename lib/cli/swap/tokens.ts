export interface Token {
  kind: 'word' | 'string' | 'mark';
  text: string;
  /** How many brackets it is in. */
  depth: number;
}

const BLANK = /(?:\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\/)+/y;
const WORD = /[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*/uy;
const QUOTED = /'(?:[^'\\\n]|\\[\s\S])*'|"(?:[^"\\\n]|\\[\s\S])*"/y;
const NUMBER = /\d[\w.]*/y;
const REGEX = /\/(?![*/])(?:[^\\/[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/\w*/y;
/** A slash after one of these words begins a regular expression. */
const BEFORE_VALUE = /^(?:return|typeof|case|in|of|delete|void|throw|new|else|do|await|yield)$/;

/** Splits TypeScript or JavaScript. It knows comments, strings, templates and regular expressions, no grammar. */
export function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  let at = text.startsWith('#!') ? text.indexOf('\n') : 0;
  let depth = 0;
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    if (found !== undefined) at += found.length;
    return found;
  };
  while (at >= 0 && at < text.length) {
    if (take(BLANK) !== undefined) continue;
    const word = take(WORD) ?? take(NUMBER);
    if (word !== undefined) {
      tokens.push({ kind: 'word', text: word, depth });
      continue;
    }
    const quoted = take(QUOTED) ?? (text[at] === '`' ? takeTemplate() : undefined);
    if (quoted !== undefined) {
      tokens.push({ kind: 'string', text: quoted.slice(1, -1), depth });
      continue;
    }
    if (text[at] === '/' && beginsValue(tokens.at(-1)) && take(REGEX) !== undefined) {
      tokens.push({ kind: 'string', text: '', depth });
      continue;
    }
    const mark = text[at++]!;
    if ('}])'.includes(mark)) depth -= 1;
    tokens.push({ kind: 'mark', text: mark, depth });
    if ('{[('.includes(mark)) depth += 1;
  }
  return tokens;

  function takeTemplate(): string {
    const start = at;
    at = endOfTemplate(text, at);
    return text.slice(start, at);
  }
}

function beginsValue(before: Token | undefined): boolean {
  if (before === undefined) return true;
  if (before.kind === 'word') return BEFORE_VALUE.test(before.text);
  return before.kind === 'mark' && !')]}'.includes(before.text);
}

/** The place after a template literal, whose `${…}` hold braces, strings and templates. */
function endOfTemplate(text: string, start: number): number {
  let at = start + 1;
  let braces = 0;
  while (at < text.length) {
    const character = text[at]!;
    if (character === '\\') at += 2;
    else if (braces === 0 && character === '`') return at + 1;
    else if (braces === 0 && text.startsWith('${', at)) {
      braces = 1;
      at += 2;
    } else if (braces > 0 && character === '`') at = endOfTemplate(text, at);
    else if (braces > 0 && (character === "'" || character === '"')) {
      QUOTED.lastIndex = at;
      at += QUOTED.exec(text)?.[0].length ?? 1;
    } else {
      if (braces > 0 && character === '{') braces += 1;
      if (braces > 0 && character === '}') braces -= 1;
      at += 1;
    }
  }
  return at;
}
