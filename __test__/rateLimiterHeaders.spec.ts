import { createHash } from 'node:crypto';
import { makeLimiter, onFakeTime } from './support/limiters';
import { readList } from './support/structuredFields';

// What responses tell of limits, read by the rules of structured fields. The draft is draft-ietf-httpapi-ratelimit-headers-11.

onFakeTime();

type Limiter = ReturnType<typeof makeLimiter>;

/** The headers of an answer to a request, by their names in lower case. */
async function headersOf(limiter: Limiter, ip = '10.0.0.1'): Promise<Record<string, string>> {
  const headers: Record<string, string> = {};
  const res = {
    setHeader: (name: string, value: unknown) => {
      // Strings, as node:http would not have to convert.
      expect(typeof value).toBe('string');
      expect(headers).not.toHaveProperty(name.toLowerCase());
      headers[name.toLowerCase()] = value as string;
    },
    status: () => res,
    json: () => res,
  };
  await limiter.middleware()({ ip }, res, () => {});
  return headers;
}

const advance = (ms: number) => jest.setSystemTime(Date.now() + ms);

describe('the classic ones', () => {
  test('tell of an admission and a denial', async () => {
    const limiter = makeLimiter({ maxRequests: 1, headers: 'legacy' });
    const reset = new Date(Date.now() + 60_000).toISOString();
    const told = { 'x-ratelimit-limit': '1', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset };
    expect(await headersOf(limiter)).toEqual(told);
    advance(100);
    expect(await headersOf(limiter)).toEqual({ ...told, 'retry-after': '60' });
    advance(59_500);
    expect(await headersOf(limiter)).toEqual({ ...told, 'retry-after': '1' });
  });

  test('the reset of a window does not slide with what is denied', async () => {
    const limiter = makeLimiter({ maxRequests: 1, algorithm: 'fixed-window' });
    const { 'x-ratelimit-reset': first } = await headersOf(limiter);
    advance(30_000);
    expect(await headersOf(limiter)).toMatchObject({ 'x-ratelimit-reset': first });
  });
});

describe('those of the draft', () => {
  const fields = async (limiter: Limiter) => {
    const { ratelimit, 'ratelimit-policy': policy, ...rest } = await headersOf(limiter);
    return { state: readList(ratelimit!), policies: readList(policy!), rest };
  };

  test('a policy, and how it stands', async () => {
    const limiter = makeLimiter({ maxRequests: 2, headers: 'draft-11' });
    expect(await fields(limiter)).toEqual({
      policies: [{ value: 'default', parameters: { q: 2, w: 60 } }],
      state: [{ value: 'default', parameters: { r: 1, t: 60 } }],
      rest: {},
    });
    advance(10_500);
    expect(await fields(limiter)).toMatchObject({ state: [{ parameters: { r: 0, t: 60 } }] });
    advance(10_500);
    // Neither Retry-After nor the window tells of a time before anything is possible.
    expect(await fields(limiter)).toMatchObject({
      state: [{ parameters: { r: 0, t: 39 } }],
      rest: { 'retry-after': '39' },
    });
  });

  test('several policies, and the one that restricts most', async () => {
    const limits = [
      { name: 'burst', windowMs: 1500, maxRequests: 5 },
      { name: 'daily', windowMs: 86_400_000, maxRequests: 6, algorithm: 'fixed-window' as const },
      { windowMs: 1, maxRequests: 100 },
    ];
    const limiter = makeLimiter({ limits, headers: 'draft-11' });
    const { policies, state } = await fields(limiter);
    expect(policies).toEqual([
      { value: 'burst', parameters: { q: 5, w: 2 } },
      { value: 'daily', parameters: { q: 6, w: 86_400 } },
      { value: 'limit-3', parameters: { q: 100, w: 1 } },
    ]);
    expect(state).toEqual([{ value: 'burst', parameters: { r: 4, t: 2 } }]);
    advance(2000);
    expect((await fields(limiter)).state).toMatchObject([{ value: 'burst', parameters: { r: 4 } }]);
    advance(2000);
    expect((await fields(limiter)).state).toMatchObject([{ value: 'daily', parameters: { r: 3 } }]);
  });

  test('a bucket has its quota, though more can pass at once', async () => {
    const limiter = makeLimiter({ algorithm: 'token-bucket', maxRequests: 10, burst: 50 });
    expect(await fields(limiter)).toMatchObject({
      policies: [{ parameters: { q: 10, w: 60 } }],
      state: [{ parameters: { r: 49, t: 6 } }],
    });
  });

  test('permits have a unit of their own, and no window', async () => {
    const limiter = makeLimiter({ algorithm: 'concurrency', maxRequests: 1, headers: 'draft-11' });
    expect(await fields(limiter)).toEqual({
      policies: [{ value: 'default', parameters: { q: 1, qu: 'concurrent-requests' } }],
      state: [{ value: 'default', parameters: { r: 0 } }],
      rest: {},
    });
    expect(await fields(limiter)).toMatchObject({ state: [{ parameters: { r: 0, t: 60 } }] });
  });

  test('any name that is printable ASCII', async () => {
    const name = 'a "b" \\c, d;e=:1:';
    const limits = [{ name, windowMs: 1000, maxRequests: 9 }];
    const { policies, state } = await fields(makeLimiter({ limits, partitionKey: true }));
    expect([policies, state]).toMatchObject([[{ value: name }], [{ value: name }]]);
  });

  test('a partition key, if it is asked for: the same in each policy', async () => {
    const limits = [1, 2].map((maxRequests) => ({ windowMs: 1000, maxRequests }));
    const { policies, state } = await fields(makeLimiter({ limits, partitionKey: true }));
    const pk = createHash('sha256').update('10.0.0.1').digest().subarray(0, 9);
    expect([...policies, ...state].map(({ parameters }) => parameters.pk)).toEqual([pk, pk, pk]);
  });

  test('a partition key that a function makes', async () => {
    const text = await fields(makeLimiter({ partitionKey: (key) => `for ${key}` }));
    expect(text.state[0]!.parameters.pk).toEqual(Buffer.from('for 10.0.0.1'));
    const bytes = await fields(makeLimiter({ partitionKey: () => Uint8Array.of(0, 255) }));
    expect(bytes.state[0]!.parameters.pk).toEqual(Buffer.from([0, 255]));
  });

  test('a function for it that throws costs the headers, and nothing else', async () => {
    const limiter = makeLimiter({
      partitionKey: () => {
        throw new Error('no partition');
      },
    });
    const errors: unknown[] = [];
    limiter.on('error', (error) => errors.push(error));
    expect(await headersOf(limiter)).toEqual({});
    expect(errors).toMatchObject([{ message: 'no partition' }]);
  });
});

test('both are sent by default, and none if they are off', async () => {
  const names = [
    ...['ratelimit', 'ratelimit-policy', 'x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset'],
  ];
  expect(Object.keys(await headersOf(makeLimiter())).sort()).toEqual(names);
  expect(await headersOf(makeLimiter({ headers: false, maxRequests: 0 }))).toEqual({});
});
