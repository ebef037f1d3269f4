// What this service asked of its own ring buffer before keelson took its place.
import { CircularBuffer } from '../../src/lib/utilities/performance/boundedCache';

test('elements come out in the order they went in', () => {
  const buffer = new CircularBuffer<string>(3);
  buffer.push('a');
  buffer.push('b');
  expect(buffer.getAll()).toStrictEqual(['a', 'b']);
  expect(buffer.shift()).toBe('a');
  expect(buffer.shift()).toBe('b');
  expect(buffer.shift()).toBeUndefined();
});

test('a full buffer overwrites its oldest element', () => {
  const buffer = new CircularBuffer<number>(3);
  for (let index = 1; index <= 5; index++) buffer.push(index);
  expect(buffer.isFull()).toBe(true);
  expect(buffer.getLength()).toBe(3);
  expect(buffer.getAll()).toStrictEqual([3, 4, 5]);
});

test('shifting makes room again', () => {
  const buffer = new CircularBuffer<number>(2);
  for (let index = 1; index <= 3; index++) buffer.push(index);
  expect(buffer.shift()).toBe(2);
  expect(buffer.isFull()).toBe(false);
  buffer.push(4);
  expect(buffer.getAll()).toStrictEqual([3, 4]);
});

test('what getAll returns is the caller’s', () => {
  const buffer = new CircularBuffer<number>(2);
  buffer.push(1);
  buffer.getAll().push(2);
  expect(buffer.getAll()).toStrictEqual([1]);
});

test('clear empties', () => {
  const buffer = new CircularBuffer<number>(2);
  buffer.push(1);
  buffer.clear();
  expect(buffer.getLength()).toBe(0);
  expect(buffer.getAll()).toStrictEqual([]);
  buffer.push(2);
  expect(buffer.getAll()).toStrictEqual([2]);
});
