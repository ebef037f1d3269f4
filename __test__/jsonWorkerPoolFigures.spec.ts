import { InvalidArgumentError, JSONWorkerPool } from 'keelson';
import { gather, records } from './support/jsonRecords';

describe('in the figures of a pool', () => {
  let fresh: JSONWorkerPool;
  beforeEach(() => {
    fresh = new JSONWorkerPool(2);
  });
  afterEach(() => fresh.destroy());

  test('every form is a call, with its bytes and its time', async () => {
    const text = JSON.stringify(records());
    const bytes = Buffer.byteLength(text);
    await fresh.stringify([1]);
    await fresh.stringify([1], { as: 'buffer' });
    expect(fresh.metrics()).toMatchObject({ processed: 2, direct: 2, bytes: { parsed: 0, written: 6 } });
    await fresh.stringify(records());
    expect(fresh.metrics()).toMatchObject({ processed: 3, bytes: { written: 6 + text.length } });
    await fresh.stringify(records(), { as: 'buffer' });
    await gather(fresh.stringify(records(), { as: 'chunks' }));
    const { bytes: counted, ...rest } = fresh.metrics();
    expect(counted).toEqual({ parsed: 0, written: 6 + text.length + 2 * bytes });
    expect(rest).toMatchObject({ processed: 5, direct: 2, active: 0, mainTime: { count: 3 } });
    expect(rest.mainTime.max).toBeGreaterThan(0);
  });

  test('what was read is counted too, in units and bytes', async () => {
    const text = JSON.stringify(records());
    const bytes = Buffer.from(text);
    await fresh.parse('[1]');
    await fresh.parse(Buffer.from('["é"]'));
    await fresh.parse(text);
    await fresh.parse(bytes);
    await fresh.parseStream([bytes, bytes.subarray(0, 0), '  ']);
    expect(fresh.metrics().bytes).toEqual({ parsed: 3 + 6 + text.length + 2 * bytes.length + 2, written: 0 });
  });

  test('refusals are not counted, aborts as such, chunks once they have ended', async () => {
    const signal = AbortSignal.abort('before');
    for (const as of ['string', 'buffer'] as const) {
      await expect(fresh.stringify([1], { as, signal })).rejects.toBe('before');
      await expect(fresh.stringify([1], { as, sapce: 1 } as any)).rejects.toThrow(InvalidArgumentError);
    }
    await expect(fresh.stringify([1], { as: 'chunks', signal }).next()).rejects.toBe('before');
    expect(fresh.metrics()).toMatchObject({ processed: 0, errors: { aborted: 0, other: 0 } });

    const controller = new AbortController();
    const stopped = fresh.stringify(records(), { as: 'chunks', signal: controller.signal });
    await stopped.next();
    expect(fresh.metrics()).toMatchObject({ processed: 0, active: 1 });
    await fresh.flush();
    controller.abort('meanwhile');
    await expect(stopped.next()).rejects.toBe('meanwhile');
    await expect(stopped.next()).resolves.toStrictEqual({ done: true, value: undefined });
    for await (const _ of fresh.stringify(records(), { as: 'chunks' })) break;
    expect(fresh.metrics()).toMatchObject({ processed: 2, active: 0, errors: { aborted: 1, other: 0 } });
  });

  test('destroy() ends chunks, and so does what they were never asked for', async () => {
    const begun = fresh.stringify(records(), { as: 'chunks' });
    const untouched = fresh.stringify(records(), { as: 'chunks' });
    await begun.next();
    await fresh.destroy();
    for (const chunks of [begun, untouched]) {
      await expect(chunks.next()).rejects.toMatchObject({ code: 'ERR_KEELSON_DESTROYED' });
      await expect(chunks.next()).resolves.toMatchObject({ done: true });
    }
  });

  test('the mean duration is that of all calls, small ones too', async () => {
    for (let call = 0; call < 300; call++) await fresh.parse('[1]');
    const small = fresh.getStats().avgProcessingTime;
    expect(small).toBeGreaterThan(0);
    const value = records();
    await fresh.stringify(value);
    const { duration } = fresh.metrics();
    expect(duration.count).toBe(1);
    expect(fresh.getStats().avgProcessingTime).toBeCloseTo((small * 300 + duration.mean) / 301, 6);
  });

  test('null is no options', async () => {
    expect(await fresh.stringify([1], null)).toBe('[1]');
    expect(await fresh.parse('[1]', null)).toEqual([1]);
    expect(await fresh.parse('[1]', { reviver: null })).toEqual([1]);
    expect(await fresh.parseStream(['[1]'], null)).toEqual([1]);
    expect(await fresh.ndjson(['1'], null).next()).toEqual({ done: false, value: [1] });
    expect((await fresh.openDocument('[1]', null)).get('/0')).toBe(1);
    expect(await fresh.enqueueTask('parse', '[1]', null)).toEqual([1]);
    expect(await fresh.enqueueTask('stringify', [1], { unknown: 1 } as any)).toBe('[1]');
  });
});
