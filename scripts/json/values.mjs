// Values of every kind that JSON.stringify looks at, made anew by each call, since some change when they are read.

const UNITS = [
  'a',
  'b',
  ' ',
  '"',
  '\\',
  '/',
  '\n',
  '\t',
  '\b',
  '\0',
  '\u001f',
  '\u007f',
  '\u00e9',
  '\u2028',
  '\u540d',
].concat(['\ud83d\ude00', '\ud83d', '\ude00', '\ufeff', '\uffff']);
const NAMES = [
  'a',
  'b',
  'c',
  'key',
  'amount',
  'toJSON',
  '__proto__',
  '',
  '0',
  '1',
  '10',
  '-1',
  '\u00e9',
  '\ud800',
  '"',
  '\n',
];
const NUMBERS = [
  0,
  -0,
  1,
  -1,
  0.1,
  1e21,
  1e-7,
  123456789012,
  2 ** 31,
  -(2 ** 53),
  Number.MAX_VALUE,
  Number.MIN_VALUE,
].concat([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]);

/** A text that is mostly plain, and now and then longer than a group. */
function text(random) {
  const length = random.chance(0.02) ? 200 + random.below(400) : random.below(random.one([4, 16, 40]));
  const odd = random.one([0, 0.1, 1]);
  return random.many(length, () => (random.chance(odd) ? random.one(UNITS) : 'x')).join('');
}

const name = (random) => (random.chance(0.7) ? random.one(NAMES) : text(random));

/** Makers of values without members. */
const LEAVES = [
  (random) => always(text(random)),
  (random) => always(text(random)),
  (random) => always(random.one(NUMBERS)),
  (random) => always(random.below(1e6) / random.one([1, 100, 7])),
  (random) => always(random.one([true, false, null])),
  () => always(undefined),
  () => always(Symbol('s')),
  () => () => () => 1,
  (random) => {
    const time = random.one([0, 1e12, Number.NaN, -1e14]);
    return () => new Date(time);
  },
  (random) => {
    const value = random.one(NUMBERS);
    return () => new Number(value);
  },
  (random) => {
    const value = text(random);
    return () => new String(value);
  },
  (random) => {
    const value = random.chance(0.5);
    return () => new Boolean(value);
  },
  () => () => Object(Symbol('boxed')),
  () => () => new Map([[1, { a: 2 }]]),
  () => () => new Set([1]),
  () => () => /x/,
  () => () => Buffer.from('abc'),
  () => () => new Uint8Array(3),
  () => () => new Float64Array([0.5, Number.NaN]),
  () => () => new Error('no members'),
  () => () => Object.assign(new Date(0), { toISOString: () => 'own' }),
  () => () => Object.assign(new Date(0), { toJSON: (key) => [key] }),
  () => () => Object.assign(new Number(1), { valueOf: () => 2, own: 3 }),
  () => () => Object.assign(new String('a'), { toString: () => 'b\u00e9' }),
  () => () => Object.assign(() => 0, { toJSON: (key) => ({ key }) }),
  () => () => Object.assign(() => 0, { a: 1 }),
];

/** Makers of values that JSON.stringify refuses, or that throw. */
const REFUSED = [
  () => 1n,
  () => Object(1n),
  () => ({
    get a() {
      throw new RangeError('a getter');
    },
  }),
  () => ({
    toJSON() {
      throw new SyntaxError('a toJSON');
    },
  }),
  () => {
    const own = { b: [1] };
    own.b.push({ own });
    return own;
  },
  () => {
    const { proxy, revoke } = Proxy.revocable([], {});
    revoke();
    return proxy;
  },
];

function always(value) {
  return () => value;
}

/** Noted by each toJSON: with which key, on what, in which order it was called. */
export const calls = [];

/** No private member, since a toJSON may be inherited in strange ways. */
const RESULT = Symbol('result');

class Noted {
  constructor(result) {
    this[RESULT] = result;
    this.amount = 1;
  }

  toJSON(...given) {
    calls.push(...given, given.length);
    return this[RESULT];
  }
}

/** A maker of a value with other values in it. */
function container(random, depth) {
  const count = random.below(random.one([2, 4, 4, 12]));
  const makers = random.many(count, () => value(random, depth + 1));
  const names = random.many(count, () => name(random));
  const all = () => makers.map((make) => make());
  const object = () => Object.fromEntries(makers.map((make, index) => [names[index], make()]));
  const shared = random.below(count + 1);
  return random.one([
    all,
    all,
    object,
    object,
    object,
    () => new Noted(makers[0]?.()),
    () => ({ toJSON: (key) => ({ key, of: all() }) }),
    () => ({ toJSON: 1, of: all() }),
    () => Object.assign(new Array(shared + count), all()),
    () => Object.assign(new Array(count + 2), { 1: makers[0]?.(), named: 1 }),
    () => withMembers(Object.create(null), object()),
    () =>
      Object.create(
        { inherited: all() },
        { own: { value: object(), enumerable: true }, hidden: { value: 1 } },
      ),
    () => Object.defineProperty(object(), '__proto__', { value: all(), enumerable: true }),
    () => new Proxy(all(), {}),
    () => new Proxy(object(), {}),
    () => ({
      [Symbol('name')]: 1,
      get read() {
        return all();
      },
    }),
    () => {
      const twice = object();
      return [twice, { twice }];
    },
    () => withMembers(new (class Money {})(), object()),
    () => withMembers([], object()),
  ]);
}

/** Own members, a `__proto__` too, which an assignment would take for the prototype. */
function withMembers(object, members) {
  return Object.defineProperties(object, Object.getOwnPropertyDescriptors(members));
}

function value(random, depth) {
  return depth < 5 && random.chance(depth === 0 ? 0.85 : 0.45)
    ? container(random, depth)
    : random.one(LEAVES)(random);
}

/** A function that makes the same value each time it is called, of any kind that has JSON or is left out. */
export function maker(random) {
  return value(random, 0);
}

/** One whose values JSON.stringify refuses, unless a list leaves out what it refuses. */
export function refusedMaker(random) {
  const [make, refused] = [value(random, 1), random.one(REFUSED)];
  return random.one([refused, () => [make(), refused()], () => ({ a: make(), b: { c: refused() } })]);
}

/** A list of members to write, and white space, both mostly none. */
export function format(random) {
  const list = random.many(random.below(8), () =>
    random.one([name(random), name(random), 1, 10, new String('a'), null, {}]),
  );
  return {
    replacer: random.chance(0.2) ? list : null,
    space: random.chance(0.6)
      ? undefined
      : random.one([1, 2, 4, 11, '\t', '--', '\n', 'longer than ten', '\ude00\ud83d', -1, 2.9]),
  };
}
