import fc from 'fast-check';
import { pretty } from '../dist/log/pretty';

const ESC = String.fromCharCode(27);
const CODES = new RegExp(`${ESC}\\[\\d+(;\\d+)?m`, 'g');
const CONTROL = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/u;

const MOMENT = new Date(2024, 0, 2, 12, 4, 5, 23);
const two = (value: number): string => String(value).padStart(2, '0');
const CLOCK = `${two(MOMENT.getHours())}:${two(MOMENT.getMinutes())}:${two(MOMENT.getSeconds())}.023`;

/** An entry of the moment as a reader has it, without the time. */
function shown(entry: object): string {
  const text = pretty(
    JSON.stringify({ timestamp: MOMENT.getTime(), level: 'info', message: 'm', ...entry }),
    false,
  );
  expect(text.startsWith(`${CLOCK} `)).toBe(true);
  return text.slice(CLOCK.length + 1);
}

const error = (message: string, more: object = {}): object => ({
  ...{ name: 'Error', message, stack: `Error: ${message}\n    at ${message} (file.js:1:2)` },
  ...more,
});

test('an entry is one line, and its members are beside the message', () => {
  expect(shown({ message: 'request completed', metadata: { status: 200, path: '/v1/orders' } })).toBe(
    'INFO  request completed  status=200 path=/v1/orders',
  );
  expect(shown({ level: 'critical' })).toBe('CRITICAL m');
  expect(shown({ metadata: {} })).toBe('INFO  m');
  expect(shown({ message: 'one\n\ttwo', metadata: { a: 1 } })).toBe('INFO  one\n      two  a=1');
});

test('the time is that of the reader, or what the entry has instead', () => {
  const time = (timestamp: unknown) =>
    pretty(JSON.stringify({ timestamp, level: 'info', message: 'm' }), false);
  expect(time(MOMENT.toISOString())).toBe(`${CLOCK} INFO  m`);
  expect(time('12 Jan')).toBe('12 Jan INFO  m');
  expect(time('2024-99-99T00:00:00Z')).toBe('2024-99-99T00:00:00Z INFO  m');
  expect(time(1e20)).toBe('100000000000000000000 INFO  m');
  expect(time(undefined)).toBe('INFO  m');
});

test('strings are bare where nothing else could be meant', () => {
  const metadata = { a: 'ü-1', b: 'two words', c: 'x=1', d: '"', e: '', f: null, g: false, 'h i': 1.5 };
  expect(shown({ metadata })).toBe(
    'INFO  m  a=ü-1 b="two words" c="x=1" d="\\"" e="" f=null g=false "h i"=1.5',
  );
  expect(shown({ metadata: 'text' })).toBe('INFO  m  metadata="text"');
  expect(shown({ metadata: [1, { a: 2 }] })).toBe('INFO  m  metadata=[1,{"a":2}]');
});

test('objects are cut, and strings are not', () => {
  const long = 'x'.repeat(300);
  expect(shown({ metadata: { long, words: `a ${long}`, list: [long] } })).toBe(
    `INFO  m  long=${long} words="a ${long}" list=["${'x'.repeat(198)}…`,
  );
});

test('what is beside the metadata is told once', () => {
  expect(shown({ metadata: { requestId: 'r' }, requestId: 'r', userId: 7, seq: 3, trace_id: 'f00' })).toBe(
    'INFO  m  requestId=r userId=7 seq=3 trace_id=f00',
  );
  expect(shown({ metadata: [], service: 's' })).toBe('INFO  m  metadata=[] service=s');
});

test('errors are beneath, with what they came from', () => {
  const cause = error('inner', { code: 'E_INNER', cause: error('innermost', { cause: 'text' }) });
  const text = shown({
    level: 'error',
    metadata: { error: error('outer', { cause }), orderId: 7, other: error('other') },
  });
  expect(text.split('\n')).toEqual([
    'ERROR m  orderId=7',
    '    Error: outer',
    '        at outer (file.js:1:2)',
    '      caused by Error: inner  code=E_INNER',
    '        at inner (file.js:1:2)',
    '        caused by Error: innermost  cause=text',
    '          at innermost (file.js:1:2)',
    '    other: Error: other',
    '        at other (file.js:1:2)',
  ]);
});

test('metadata may be an error, of many, without stacks', () => {
  const metadata = error('all', { stack: '', requestId: 'r', errors: [error('one', { stack: '' }), 'two'] });
  expect(shown({ metadata, requestId: 'r' }).split('\n')).toEqual([
    'INFO  m',
    '    Error: all  requestId=r',
    '      caused by Error: one',
    '      caused by two',
  ]);
  expect(shown({ metadata: error('bad', { stack: '', errors: ['a'] }) })).toBe(
    'INFO  m\n    Error: bad  errors=["a"]',
  );
});

test('colours are of the level, the time and the keys', () => {
  const line = (level: string) =>
    JSON.stringify({ timestamp: 'now', level, message: 'm', metadata: { a: 'b' } });
  const dim = (text: string) => `${ESC}[2m${text}${ESC}[0m`;
  expect(pretty(line('info'), true)).toBe(`${dim('now')} ${ESC}[32mINFO ${ESC}[0m m  ${dim('a=')}b`);
  expect(pretty(line('fatal'), true)).toContain(`${ESC}[37;41mFATAL${ESC}[0m`);
  expect(pretty(line('constructor'), true)).toBe(`${dim('now')} CONSTRUCTOR m  ${dim('a=')}b`);
});

test('what is no entry is as it is, but for what a terminal obeys', () => {
  for (const line of ['', 'Server listening', '{"a":', '[1]', '"text"', 'null'])
    expect(pretty(line, true)).toBe(line);
  expect(pretty(`${ESC}[2J\r\x7f\x9b\u202e`, true)).toBe('\\x1b[2J\\x0d\\x7f\\x9b\\u202e');
});

test('a terminal obeys nothing of a line', () => {
  const unit = fc.constantFrom(...`${ESC}\x9b\x00\x7f\r\n\t\u202e\u2066[31m a="{}😀`);
  const text = fc.oneof(fc.string({ unit }), fc.string({ unit: 'binary' }));
  const { failure, value } = fc.letrec<{ failure: object; value: unknown }>((tie) => ({
    failure: fc.record(
      {
        name: text,
        message: text,
        stack: text,
        cause: tie('value'),
        errors: fc.array(tie('value')),
        code: text,
      },
      { requiredKeys: ['name', 'message', 'stack'] },
    ),
    value: fc.oneof(text, fc.integer(), fc.dictionary(text, tie('value')), fc.array(text), tie('failure')),
  }));
  const entry = fc.record(
    {
      timestamp: value,
      level: value,
      message: value,
      metadata: fc.oneof(value, failure),
      userId: value,
      error: failure,
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(
      fc.oneof(
        text,
        entry.map((given) => JSON.stringify(given)),
      ),
      (line) => {
        const output = pretty(line, false);
        const [, ...later] = output.split('\n');
        expect(output.replaceAll('\n', '')).not.toMatch(CONTROL);
        expect(later.filter((each) => !each.startsWith('    '))).toEqual([]);
        expect(pretty(line, true).replace(CODES, '')).toBe(output);
      },
    ),
  );
});

test('however deep or wide a line is, it is shown', () => {
  const deep = '[{"a":'.repeat(100_000) + '}]'.repeat(100_000).replace('}', '1}');
  // Newer V8s write it whatever its depth.
  expect(pretty(`{"message":"m","metadata":{"deep":${deep}}}`, false)).toMatch(
    /^m {2}deep=(\[Too deep\]|\[\{"a":.{190,}…)$/,
  );
  const start = '{"name":"E","message":"m","stack":"E: m","cause":';
  const causes = pretty(`{"error":${start.repeat(20_000)}1${'}'.repeat(20_001)}`, false).split('\n');
  expect(causes).toHaveLength(18);
  expect(causes.at(-1)).toMatch(/^ {36}caused by E: m {2}cause=(\[Too deep\]|\{.*…)$/);
  const wide = error('wide', {
    stack: 'x\n'.repeat(150_000),
    errors: Array(150_000).fill(error('e', { stack: 'e' })),
  });
  expect(shown({ metadata: wide }).split('\n')).toHaveLength(300_002);
});
