// Documents that are made to cost much: the bounds are generous, and of bytes and counts rather than of time.
import { JSONWorkerPool } from 'keelson';
import { evaluate } from './support/process';

/** What the peak memory of a fresh process grows by, in MiB, while it does `work` with `text`. */
async function peakOf(text: string, work: string): Promise<number> {
  return await evaluate<number>(`
    const { readFileSync } = require('node:fs');
    const { JSONWorkerPool } = require('keelson');
    const peak = () => Number(/VmHWM:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) / 1024;
    const pool = new JSONWorkerPool(1);
    const text = Buffer.from(${text});
    pool.parse('[1]').then(async () => {
      const before = peak();
      await (${work})(text);
      console.log(peak() - before);
      await pool.destroy();
    });`);
}

const onLinux = process.platform === 'linux' ? test : test.skip;

let pool: JSONWorkerPool;
beforeAll(() => {
  pool = new JSONWorkerPool(1);
});
afterAll(() => pool.destroy());

describe('deep nesting', () => {
  onLinux.each([
    ['arrays', `'['.repeat(1e6) + ']'.repeat(1e6)`],
    ['objects', `'{"a":'.repeat(1e6) + '1' + '}'.repeat(1e6)`],
  ])('of %s takes about the memory that JSON.parse takes', async (_, text) => {
    const [own, plain] = [
      await peakOf(text, '(text) => pool.parse(text)'),
      await peakOf(text, '(text) => JSON.parse(text.toString())'),
    ];
    expect(own).toBeLessThan(2 * plain + 64);
  });

  test('is built level by level, whatever is beside', async () => {
    const depth = 20_000;
    const big = `"${'x'.repeat(70_000)}"`;
    const text = `${'[0,{"é":1,"k\\n":['.repeat(depth)}${big}${',2],"z":[]},3]'.repeat(depth)}`;
    let level = await pool.parse(text);
    for (let at = 0; at < depth; at++) {
      expect([level.length, level[0], level[2]]).toEqual([3, 0, 3]);
      expect(Object.keys(level[1])).toEqual(['é', 'k\n', 'z']);
      const inner = level[1]['k\n'];
      expect([inner.length, inner[1]]).toEqual([2, 2]);
      level = inner[0];
    }
    expect(level).toHaveLength(70_000);
  });
});

describe('white space', () => {
  onLinux('beyond all measure takes no memory', async () => {
    const work = `async (text) => {
      const { Readable } = require('node:stream');
      const white = Buffer.alloc(2 ** 20, 32);
      async function* source() {
        yield '[1,';
        for (let piece = 0; piece < 200; piece++) yield white;
        yield '2]';
      }
      const value = await pool.parseStream(Readable.from(source()));
      if (value[1] !== 2) throw new Error('wrong');
    }`;
    expect(await peakOf(`''`, work)).toBeLessThan(100);
  });
});
