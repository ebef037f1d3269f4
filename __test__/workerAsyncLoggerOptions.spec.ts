import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { WorkerAsyncLogger } from 'keelson';
import { useLogs } from './support/logs';

const place = useLogs();

test.each([
  ['a file that is no string', [1], '"logFile"'],
  ['a file that is null', [null], '"logFile"'],
  ['an empty file', [''], '"logFile"'],
  ['a file with NUL', ['a\0b'], '"logFile"'],
  ['a size of 0', ['x', 0], '"maxFileSize"'],
  ['no room', ['x', 1, 0], '"maxBuffer"'],
  ['an unknown option', [{ file: 'x' }], '"options.file" is not an option'],
  ['an unknown level', [{ level: 'loud' }], '"level"'],
  ['null for a level', [{ level: null }], '"level"'],
  ['a bad policy', [{ onFull: 'drop' }], '"onFull"'],
  ['an unknown destination', [{ destinations: [{ stream: 'stdlog' }] }], '"destinations[0].stream"'],
  ['no destination', [{ destinations: [] }], '"destinations"'],
  ['a destination that is none', [{ destinations: [null] }], '"destinations[0]"'],
  ['a list with a hole', [{ destinations: Array(1) }], '"destinations[0]"'],
  [
    'the same destination twice',
    [{ destinations: [{ stream: 'stdout' }, { stream: 'stdout' }] }],
    'must differ',
  ],
  [
    'the same file twice, in other words',
    [{ destinations: [{ file: 'a.log' }, { file: './b/../a.log' }] }],
    'must differ',
  ],
  [
    'a file beside destinations',
    [{ logFile: 'x', destinations: [{ file: 'y' }] }],
    '"logFile" and "destinations"',
  ],
  [
    'an option of files for a stream',
    [{ destinations: [{ stream: 'stdout', keep: {} }] }],
    '"destinations[0].keep"',
  ],
  [
    'an option of files beside streams alone',
    [{ destinations: [{ stream: 'stdout' }], rotation: 'x' }],
    '"rotation"',
  ],
  [
    'a bad option of a destination',
    [{ destinations: [{ stream: 'stdout' }, { file: 'x', maxBuffer: 0 }] }],
    '"destinations[1].maxBuffer"',
  ],
  [
    'a bad option that a destination has of the logger',
    [{ destinations: [{ stream: 'stdout' }], maxBuffer: 0 }],
    '"maxBuffer"',
  ],
  [
    'a bad level of a destination',
    [{ destinations: [{ file: 'x', level: null }] }],
    '"destinations[0].level"',
  ],
  ['a bad bound of a destination', [{ destinations: [{ file: 'x', keep: { age: -1 } }] }], '[0].keep.age"'],
  ['a bad rotation', [{ rotation: 'dayly' }], '"rotation"'],
  ['a rotation that never comes', [{ rotation: '0 0 30 2 *' }], '"rotation"'],
  ['a rotation with seconds', [{ rotation: '0 0 0 1 1 *' }], '"rotation"'],
  ['a bad timezone', [{ timezone: 'Europe/Berlin' }], '"timezone"'],
  ['a bad bound', [{ keep: { count: -1 } }], '"keep.count"'],
  ['an unknown bound', [{ keep: { days: 3 } }], '"keep.days"'],
  ['a bad compression', [{ compression: 'brotli' }], '"compression"'],
  ['a bad mode', [{ fileMode: 0o10000 }], '"fileMode"'],
  ['a bad place to wait', [{ mode: 'disk' }], '"mode"'],
  ['a bad durability', [{ durability: 'sync' }], '"durability"'],
  ['no durability', [{ durability: null }], '"durability"'],
  ['a bad durability of a level', [{ durability: { error: 'sync' } }], '"durability.error"'],
  ['no durability of a level', [{ durability: { error: null } }], '"durability.error"'],
  ['a durability of no level', [{ durability: { loud: 'write' } }], '"durability.loud"'],
  ['a bad timestamp', [{ timestamp: 'unix' }], '"timestamp"'],
  ['a bad mixin', [{ mixin: 5 }], '"mixin"'],
  ['a bad serializer', [{ serializers: { user: 5 } }], '"serializers.user"'],
  ['serializers in a Map', [{ serializers: new Map() }], '"serializers"'],
  ['serializers in a list', [{ serializers: [() => 1] }], '"serializers"'],
  ['a bad path', [{ redact: ['a..b'] }], '"redact"'],
  ['a part of a name', [{ redact: ['**.password'] }], '"redact"'],
  ['no path', [{ redact: {} }], '"redact.paths"'],
  ['a bad signal', [{ onSighup: 'exit' }], '"onSighup"'],
  ['an empty link', [{ symlink: '' }], '"symlink"'],
  ['a link with NUL', [{ symlink: 'a\0' }], '"symlink"'],
  ['the file as its link', [{ logFile: 'a.log', symlink: './a.log' }], '"symlink"'],
])('%s is refused', (_, args, told = '') => {
  const listeners = process.listenerCount('exit');
  let error: unknown;
  try {
    new (WorkerAsyncLogger as any)(...args);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toMatchObject({ name: 'InvalidArgumentError', code: 'ERR_KEELSON_INVALID_ARGUMENT' });
  expect((error as Error).message).toContain(told);
  expect(process.listenerCount('exit')).toBe(listeners);
});

test('the same file twice is refused also where a link leads to it', () => {
  const { folder } = place();
  const linked = join(folder, 'linked');
  mkdirSync(join(folder, 'real'));
  symlinkSync(join(folder, 'real'), linked);
  const destinations = [{ file: join(folder, 'real', 'a.log') }, { file: join(linked, 'a.log') }];
  expect(() => new WorkerAsyncLogger({ destinations })).toThrow(/must differ/);
});

test('what a destination leaves open is as the logger has it', async () => {
  const { folder, entries } = place();
  const file = join(folder, 'a.log');
  const logger = new WorkerAsyncLogger({
    // A file may have the name of a stream.
    destinations: [
      { file, maxBuffer: undefined },
      { file: join(folder, 'stdout') },
      { stream: 'stdout', level: 'fatal' },
    ],
    sequence: true,
    maxBuffer: 1,
    onFull: 'drop-newest',
  });
  logger.info('one');
  await logger.flush();
  const [entry] = entries(file);
  expect(entry).toMatchObject({ message: 'one', sequence: 0 });
  await logger.destroy();
});

test.each([null, 'abc', 5, [1], new Error('no')])('%p are no bindings', (bindings) => {
  const { open } = place();
  const logger = open();
  const refused = expect.objectContaining({ code: 'ERR_KEELSON_INVALID_ARGUMENT' });
  expect(() => logger.child(bindings as object)).toThrow(refused);
  expect(() => logger.child({}).child(bindings as object)).toThrow(refused);
});

test.each([null, 5, { durability: true }, { durable: 1 }])('flush(%j) is refused', async (options) => {
  const { open } = place();
  await expect(open().flush(options as object)).rejects.toMatchObject({
    code: 'ERR_KEELSON_INVALID_ARGUMENT',
  });
});
