import { JSONWorkerPool, TimeoutError } from 'keelson';
import { readFormat } from '../dist/json/stringify/format';
import { open } from '../dist/json/stringify/source';
import { Texts } from '../dist/json/stringify/texts';
import { gather, LONG, records, turns } from './support/jsonRecords';

let pool: JSONWorkerPool;
beforeAll(() => {
  pool = new JSONWorkerPool(4);
});
afterAll(() => pool.destroy());

describe('stopping', () => {
  test('an aborted signal rejects with its reason before anything is read', async () => {
    const reason = new Error('gone');
    const signal = AbortSignal.abort(reason);
    const toJSON = jest.fn();
    for (const as of ['string', 'buffer'] as const) {
      await expect(pool.stringify({ toJSON }, { as: as as 'string', signal })).rejects.toBe(reason);
    }
    await expect(gather(pool.stringify({ toJSON }, { as: 'chunks', signal }))).rejects.toBe(reason);
    expect(toJSON).not.toHaveBeenCalled();
  });

  /** Records of which the middle one calls `reached`, and the last one `ended`. */
  function watched(reached: () => void, ended: () => void): unknown[] {
    const value: any[] = records();
    value[LONG / 2] = { toJSON: reached };
    value[LONG - 1] = { toJSON: ended };
    return value;
  }

  test.each(['string', 'buffer', 'chunks'])(
    'a signal stops the work on a %s at the next slice',
    async (as) => {
      const controller = new AbortController();
      const ended = jest.fn();
      const value = watched(() => controller.abort('enough'), ended);
      const { signal } = controller;
      const work =
        as === 'chunks'
          ? gather(pool.stringify(value, { as, signal }))
          : pool.stringify(value, { as: as as 'string', signal });
      await expect(work).rejects.toBe('enough');
      expect(ended).not.toHaveBeenCalled();
    },
  );

  test('so does a timeout', async () => {
    const ended = jest.fn();
    const value = watched(() => {
      const end = performance.now() + 6;
      while (performance.now() < end);
    }, ended);
    const work = pool.stringify(value, { timeout: 5 });
    await expect(work).rejects.toMatchObject({
      constructor: TimeoutError,
      timeout: 5,
      code: 'ERR_KEELSON_TIMEOUT',
    });
    expect(ended).not.toHaveBeenCalled();
  });
});

describe('chunks', () => {
  test('are made only as they are taken', async () => {
    let reads = 0;
    const value = Array.from({ length: 400 }, () => ({
      toJSON() {
        reads++;
        return 'x'.repeat(20_000);
      },
    }));
    const chunks = pool.stringify(value, { as: 'chunks' });
    expect(reads).toBe(0);
    await chunks.next();
    await turns(50);
    const ahead = reads;
    expect(ahead).toBeLessThan(40);
    await turns(50);
    expect(reads).toBe(ahead);
    await chunks.return!();
    await turns(10);
    expect(reads).toBe(ahead);
    await expect(chunks.next()).resolves.toStrictEqual({ done: true, value: undefined });
  });

  test('a break in for await ends the work', async () => {
    const ended = jest.fn();
    const value: unknown[] = records();
    value.push({ toJSON: ended });
    for await (const chunk of pool.stringify(value, { as: 'chunks' })) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    await turns(100);
    expect(ended).not.toHaveBeenCalled();
  });

  test('next may be called several times at once, and return settles what waits', async () => {
    const chunks = pool.stringify(records(), { as: 'chunks' });
    const several = await Promise.all([chunks.next(), chunks.next(), chunks.next()]);
    const whole = Buffer.from(JSON.stringify(records()));
    const begin = Buffer.concat(several.map(({ value }) => value!));
    expect(begin.equals(whole.subarray(0, begin.length))).toBe(true);
    const waiting = Array.from({ length: 10 }, () => chunks.next());
    await chunks.return!();
    const rest = await Promise.all(waiting);
    expect(rest.at(-1)).toStrictEqual({ done: true, value: undefined });
  });

  test('throw ends them, and rejects with what it was given', async () => {
    const chunks = pool.stringify(records(), { as: 'chunks' });
    await chunks.next();
    await expect(chunks.throw!(new Error('mine'))).rejects.toThrow('mine');
    await expect(chunks.next()).resolves.toMatchObject({ done: true });
  });

  test('an error comes after the chunks before it, once', async () => {
    const value = [
      ...records(),
      {
        toJSON() {
          throw new Error('late');
        },
      },
    ];
    const chunks = pool.stringify(value, { as: 'chunks' });
    let taken = 0;
    await expect(
      (async () => {
        for await (const _ of chunks) taken++;
      })(),
    ).rejects.toThrow('late');
    expect(taken).toBeGreaterThan(10);
    await expect(chunks.next()).resolves.toMatchObject({ done: true });
  });

  test('are none of a source that was ended before', async () => {
    const texts = new Texts(() => open([1], readFormat(null, 0)), 'low');
    texts.end();
    await expect(texts.take()).resolves.toBeUndefined();
  });
});
