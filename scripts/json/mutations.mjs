// Small changes to the text or the bytes of a document, after which it may still be JSON, or not.

const TOKENS = [
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '"',
  '\\',
  '-',
  '+',
  '.',
  'e',
  'E',
  '0',
  '1',
  '9',
  ' ',
  '\n',
  '\r',
  '\t',
].concat(
  [
    'null',
    'true',
    'false',
    '[]',
    '{}',
    '""',
    '-0',
    '1e999',
    '1.5',
    '"a":1',
    ',"__proto__":{"x":1}',
    ',"a":2',
    ',1',
  ],
  [
    'nul',
    'True',
    'NaN',
    'Infinity',
    'undefined',
    '01',
    '+1',
    '.5',
    '1.',
    '1e',
    '-',
    '0x1',
    '1_0',
    "'a'",
    '//',
    '/**/',
    '#',
  ],
  [
    '\\u',
    '\\u12',
    '\\u00g0',
    '\\x41',
    '\\a',
    '\\',
    '\\ud800',
    '\\udc00',
    '\\ud83d\\ude00',
    '\\u0000',
    '\\"',
    '\\u{61}',
  ],
  [
    '\0',
    '\u0001',
    '\u001f',
    '\u007f',
    '\u0080',
    '\u00a0',
    '\u00ff',
    '\u2028',
    '\u3000',
    '\ufeff',
    '\uffff',
    '\ufffd',
  ],
  [
    '\v',
    '\f',
    '\ud800',
    '\udc00',
    '\ud83d\ude00',
    '\udc00\ud83d',
    '\u540d',
    ',,',
    '[,',
    '[1,]',
    '{"a"}',
    '{"a":}',
    '{,}',
  ],
);
const SEQUENCES = [
  [0x80],
  [0xbf],
  [0xc0, 0x80],
  [0xc1, 0xbf],
  [0xc3],
  [0xc3, 0xa9],
  [0xe2, 0x82],
  [0xe2, 0x82, 0xac],
  [0xe0, 0x80, 0x80],
  [0xed, 0xa0, 0x80],
  [0xed, 0xbf, 0xbf],
  [0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80],
  [0xef, 0xbb, 0xbf],
  [0xef, 0xbf, 0xbf],
  [0xf0, 0x9f, 0x98],
  [0xf0, 0x9f, 0x98, 0x80],
  [0xf0, 0x80, 0x80, 0x80],
  [0xf4, 0x90, 0x80, 0x80],
  [0xf5, 0x80, 0x80, 0x80],
  [0xff],
  [0xfe, 0xff],
  [0x00],
  [0x1f, 0x8b],
  [0x22],
  [0x5c],
];

/** Tokens of a text, roughly: strings, words and numbers, white space, and any other unit. */
const PARTS = /"(?:[^"\\]|\\.)*"|[-+.\w]+|\s+|[\s\S]/g;

/** A number, a word or a string that takes the place of another value. */
const VALUES = [
  '0',
  '-0',
  '1.5',
  '-1e-7',
  '2147483648',
  'null',
  'true',
  '"x"',
  '"a longer text than that"',
  '[]',
  '{}',
].concat([
  '[1,2]',
  '{"a":1}',
  '"\\u00e9"',
  '"\u00e9"',
  '"\u540d"',
  '[[[]]]',
  '[null]',
  '{"__proto__":null}',
  '1e999',
  '12345678901',
]);

const isValue = (part) => /^(?:"|-?\d|[tfn])/.test(part);

/** Changes by tokens, which mostly leave a document of another structure. */
function changeParts(random, text) {
  const parts = text.match(PARTS) ?? [];
  const at = random.below(parts.length + 1);
  const other = Math.min(parts.length, at + 1 + random.below(4));
  switch (random.below(9)) {
    case 0:
    case 1:
    case 2: {
      const value = parts.findIndex(
        (part, index) => index >= at && isValue(part) && !/^\s*:/.test(parts[index + 1] ?? ''),
      );
      if (value >= 0) parts[value] = random.one(VALUES);
      break;
    }
    case 3:
    case 4:
      parts.splice(at, 0, random.one([' ', '\n', '\t\t', '\r\n', '  \n ']));
      break;
    case 5:
      parts.splice(at, other - at);
      break;
    case 6:
      parts.splice(at, 0, ...parts.slice(at, other));
      break;
    case 7:
      parts.splice(at, 0, random.one(TOKENS));
      break;
    default: {
      const name = parts.findIndex(
        (part, index) => index >= at && part[0] === '"' && parts[index + 1] === ':',
      );
      if (name >= 0)
        parts[name] = random.one(['"a"', '"__proto__"', '"1"', '"\\u0061"', '"id"', '""', '"\ud800"']);
    }
  }
  return parts.join('');
}

/** Changes by units. */
function changeUnits(random, text) {
  const at = random.below(text.length + 1);
  const end = Math.min(text.length, at + 1 + random.below(random.chance(0.8) ? 2 : 20));
  switch (random.below(6)) {
    case 0:
      return text.slice(0, at) + text.slice(end);
    case 1:
      return text.slice(0, end) + text.slice(at);
    case 2:
      return text.slice(0, at) + random.one(TOKENS) + text.slice(end);
    case 3:
      return (
        text.slice(0, at) +
        String.fromCharCode(random.below(random.one([128, 256, 65_536]))) +
        text.slice(end)
      );
    case 4:
      return random.chance(0.5) ? text.slice(0, at) : text.slice(at);
    default:
      return text.slice(0, at) + random.one(TOKENS) + text.slice(at);
  }
}

/** A text that was changed at least once. */
export function mutateText(random, text) {
  const rate = random.chance(0.75) ? 0.02 : 0.6;
  let changed = random.chance(rate) ? changeUnits(random, text) : changeParts(random, text);
  for (const more of random.some(2, () => rate)) {
    changed = random.chance(more) ? changeUnits(random, changed) : changeParts(random, changed);
  }
  return changed;
}

/** The bytes of a text, some of them changed; half of the times within a string where there is one. */
export function mutateBytes(random, text) {
  const bytes = Buffer.from(text);
  const [one, ...more] = [0, ...random.some(2, () => 0)].map(() => random.one(SEQUENCES));
  const quote = bytes.indexOf('"', random.below(bytes.length + 1));
  const at = quote >= 0 && random.chance(0.6) ? quote + 1 : random.below(bytes.length + 1);
  const kept = at + random.below(2);
  switch (random.below(4)) {
    case 0:
      if (at < bytes.length) bytes[at] ^= 1 << random.below(8);
      return bytes;
    case 1:
      return random.chance(0.3) ? bytes.subarray(0, at) : bytes.subarray(0, bytes.length - random.below(3));
    default:
      return Buffer.concat([bytes.subarray(0, at), Buffer.from([one, ...more].flat()), bytes.subarray(kept)]);
  }
}
