// JSON documents that resemble each other as records of one table do, in every spelling that the grammar knows.

const NAMES = [
  'id',
  'name',
  'a',
  'b',
  'c',
  'type',
  'value',
  'children',
  'lat',
  'created_at',
  'aVeryLongNameOfAMember',
];
const ODD_NAMES = [
  '__proto__',
  '__proto__',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'toJSON',
  'length',
  '',
  '0',
  '1',
  '-1',
  '01',
  '4294967294',
  '4294967295',
  '\u00e9',
  '\u540d',
  '\ud83d\ude00',
  '\ud800',
  '\udc00',
  '\u2028',
  '"',
  '\\',
  '\n',
  '`',
  '$' + '{1}',
];
const INTEGERS = [
  '0',
  '1',
  '-1',
  '2147483647',
  '2147483648',
  '-2147483648',
  '-2147483649',
  '4294967296',
  '9007199254740993',
];
const NUMBERS = [
  '-0',
  '-0.0',
  '0e0',
  '-0e-5',
  '0.1',
  '1.0',
  '1e2',
  '1E+2',
  '1e-2',
  '1e999',
  '-1e999',
  '1e-999',
  '5e-324',
  '2.2250738585072011e-308',
  '1.7976931348623157e308',
  '1.7976931348623159e308',
  '123456789012345678901234567890',
  '0.1234567890123456789012345678901234567890',
  '9007199254740992.5',
  '9007199254740993.0',
  '0.30000000000000004',
  '100000000000000000000000',
  '1e23',
  '8.41e21',
  '12345678901234567',
  '0.000001',
];
const CHARACTERS = [
  'a',
  'Z',
  '0',
  ' ',
  '/',
  "'",
  '\u007f',
  '\u0080',
  '\u00e9',
  '\u00ff',
  '\u0100',
  '\u07ff',
  '\u0800',
].concat([
  '\u2028',
  '\u2029',
  '\ufeff',
  '\uffff',
  '\u540d',
  '\ud83d\ude00',
  '\u{10ffff}',
  '\ud800',
  '\udfff',
  '\ufffd',
]);
const ESCAPES = [
  '\\"',
  '\\\\',
  '\\/',
  '\\b',
  '\\f',
  '\\n',
  '\\r',
  '\\t',
  '\\u0000',
  '\\u001f',
  '\\u0061',
  '\\u00E9',
].concat([
  '\\u540d',
  '\\ud83d\\ude00',
  '\\ud83d',
  '\\uDE00',
  '\\uDE00\\uD83D',
  '\\uffff',
  '\\u0022',
  '\\u005C',
]);
const GAPS = ['', '', '', '', '', '', '', ' ', '\n', '\t', '\r\n', '  '];

/** Kinds of values at one place of the records; each is asked for the text of a value. */
const SCALARS = [
  (random) => String(random.below(1000)),
  (random) => String(random.below(2 ** 32) - 2 ** 31),
  (random) => random.one(INTEGERS),
  (random) => (random.chance(0.1) ? random.one(NUMBERS) : String(random.below(1e6) / 100)),
  (random) => random.one(NUMBERS),
  (random) => digits(random),
  (random) => random.one(['true', 'false']),
  () => 'null',
  (random) => (random.chance(0.3) ? 'null' : quoted(random, random.below(12))),
  (random) => quoted(random, random.below(6)),
  (random) => quoted(random, 10 + random.below(6)),
  (random) => quoted(random, random.below(80)),
  (random) => `"${'x'.repeat(random.below(15))}"`,
  (random) => `"2024-0${1 + random.below(9)}-11T10:0${random.below(10)}:00Z"`,
];

const SHORT = [SCALARS[0], SCALARS[6], SCALARS[7], SCALARS[9]];

/** A number of any spelling. */
function digits(random) {
  const run = (most) => random.many(1 + random.below(most), () => random.below(10)).join('');
  const whole = random.chance(0.2) ? '0' : `${1 + random.below(9)}${random.chance(0.5) ? run(20) : ''}`;
  const fraction = random.chance(0.5) ? `.${run(22)}` : '';
  const exponent = random.chance(0.3)
    ? `${random.one(['e', 'E'])}${random.one(['', '+', '-'])}${run(3)}`
    : '';
  return `${random.one(['', '-'])}${whole}${fraction}${exponent}`;
}

/** A string of about `length` units, mostly plain. */
export function quoted(random, length) {
  if (random.chance(0.6)) return `"${'abcdefghijklmnopqrstuvwxyz'.repeat(4).slice(0, length)}"`;
  const odd = random.one([0.05, 0.3, 1]);
  const unit = () => (random.chance(odd) ? random.one(random.chance(0.6) ? CHARACTERS : ESCAPES) : 'e');
  return `"${random.many(length, unit).join('')}"`;
}

/** The token of a name, now and then in another spelling. */
function nameToken(random, name, respelt) {
  if (random.chance(respelt) && name !== '') {
    const unit = name.charCodeAt(0).toString(16).padStart(4, '0');
    return `"\\u${unit}${JSON.stringify(name.slice(1)).slice(1)}`;
  }
  return JSON.stringify(name);
}

/**
 * What makes documents that are alike: a function of `random` that gives a text, mostly a short one, of which
 * `suits` is true.
 */
export function kindOfDocument(random, suits) {
  const most = random.chance(0.9) ? 500 : random.one([2000, 2000, 10_000]);
  for (;;) {
    const of = kind(random, 0);
    const make = (random) => {
      const text = of(random, 0);
      return suits(text) ? text : '[]';
    };
    const samples = random.many(4, () => of(random, 0));
    if (samples.every((text) => text.length <= most && suits(text))) return make;
  }
}

/** What makes values that are alike: a function of `random` and the depth that gives a text. */
function kind(random, depth) {
  const scalar = () => random.one(SCALARS);
  const deeper = () => (depth < 4 ? kind(random, depth + 1) : scalar());
  const choices = [
    scalar,
    scalar,
    scalar,
    () => record(random, deeper, depth),
    () => record(random, deeper, depth),
    () => list(deeper(), random.one([2, 2, 6, 20])),
  ];
  choices.push(
    () => tuple(random.many(1 + random.below(5), deeper)),
    () => list(mixed(random.many(1 + random.below(4), deeper)), 6),
    () => mixed([deeper(), deeper()]),
    () => optional(deeper()),
  );
  return depth === 0 && random.chance(0.7) ? record(random, deeper, depth) : random.one(choices)();
}

const gap = (random) => random.one(GAPS);
const mixed = (kinds) => (random, depth) => random.one(kinds)(random, depth);
const optional = (of) => (random, depth) => (random.chance(0.3) ? 'null' : of(random, depth));

function list(of, most) {
  return (random, depth) => {
    const elements = random.many(
      random.below(most + 1),
      () => gap(random) + of(random, depth + 1) + gap(random),
    );
    return elements.length === 0 ? `[${gap(random)}]` : `[${elements.join()}]`;
  };
}

function tuple(kinds) {
  return (random, depth) => {
    const some = random.chance(0.03) ? kinds.slice(0, random.below(kinds.length + 1)) : kinds;
    return `[${some.map((of) => of(random, depth + 1)).join()}]`;
  };
}

/** Objects with some of the same members, mostly in the same order. */
function record(random, deeper, depth) {
  const lacking = random.one([0, 0, 0, 0.1, 0.5]);
  const oddNames = random.one([0, 0, 0.1, 0.5]);
  const names = random.shuffle(random.chance(0.05) ? random.many(9, () => random.one(NAMES)) : [...NAMES]);
  const count = 1 + random.below(depth > 0 ? 3 : random.one([2, 3, 8, 8, 40]));
  const members = random.many(count, (index) => ({
    name: random.chance(oddNames) ? random.one(ODD_NAMES) : (names[index] ?? `${random.one(NAMES)}${index}`),
    // Records of many members have short ones, so that they are no longer than others.
    of: count > 10 ? random.one(SHORT) : deeper(),
    lacking: random.chance(0.5) ? lacking : 0,
  }));
  const unruly = random.one([0, 0, 0, 0.02, 0.3]);
  const spaced = random.chance(0.3);
  const respelt = random.one([0, 0, 0.01]);
  const object = (random, depth) => {
    const present = members.filter((member) => !random.chance(member.lacking));
    if (random.chance(unruly)) random.shuffle(present);
    if (random.chance(unruly) && present.length > 0) present.push(random.one(present));
    const texts = present.map(({ name, of }) => {
      const token = nameToken(random, name, respelt);
      const value = random.chance(0.003) ? random.one(SCALARS)(random, depth) : of(random, depth + 1);
      return spaced ? `${gap(random)}${token}${gap(random)}:${gap(random)}${value}` : `${token}:${value}`;
    });
    if (random.chance(0.005)) texts.push(`${nameToken(random, random.one(ODD_NAMES), 0)}:${random.below(9)}`);
    return `{${texts.join()}}`;
  };
  // Some records hold others like themselves.
  if (!random.chance(0.15)) return object;
  const self = (random, depth) => {
    const children = random.many(depth < 4 ? random.below(3) : 0, () => self(random, depth + 1));
    return `${object(random, depth).slice(0, -1)},"children":[${children.join()}]}`.replace('{,', '{');
  };
  return self;
}
