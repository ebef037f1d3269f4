// The service had no breaker: what it asks of keelson's.
import {
  BreakerOpenError,
  CircuitBreaker,
  TimeoutError,
} from '../../src/lib/utilities/performance/circuitBreaker';

const broken = () => Promise.reject(new Error('away'));

/** A breaker that three failures open. */
function open<R>(action: (...args: any[]) => Promise<R>, more = {}) {
  return new CircuitBreaker(action, {
    name: 'test',
    window: { type: 'count', size: 4 },
    volumeThreshold: 3,
    ...more,
  });
}

async function failTimes(breaker: CircuitBreaker, times: number): Promise<void> {
  for (let call = 0; call < times; call++) await expect(breaker.fire()).rejects.toThrow('away');
}

test('a call resolves and rejects as the action does', async () => {
  expect(await open(async (a: number, b: number) => a + b).fire(1, 2)).toBe(3);
  await failTimes(open(broken), 1);
});

test('it opens, does not call any more, and says how long', async () => {
  const action = jest.fn(broken);
  const breaker = open(action, { resetTimeout: 5000 });
  const opened = jest.fn();
  breaker.on('open', opened);
  await failTimes(breaker, 3);
  expect([breaker.state, opened.mock.calls.length]).toEqual(['open', 1]);
  const error = await breaker.fire().catch((reason: BreakerOpenError) => reason);
  expect(error).toBeInstanceOf(BreakerOpenError);
  expect((error as unknown as BreakerOpenError).retryAfter).toBeGreaterThan(0);
  expect((error as unknown as BreakerOpenError).retryAfter).toBeLessThanOrEqual(5000);
  expect(action).toHaveBeenCalledTimes(3);
});

test('one call that succeeds closes it again, and one that fails does not', async () => {
  let action = broken as () => Promise<unknown>;
  const breaker = open(() => action());
  await failTimes(breaker, 3);
  breaker.probe();
  await failTimes(breaker, 1);
  expect(breaker.state).toBe('open');
  breaker.probe();
  action = async () => 'here';
  expect(await breaker.fire()).toBe('here');
  expect(breaker.state).toBe('closed');
});

test('a late call is given up, and told so', async () => {
  let signal: AbortSignal | undefined;
  const action = (_id: string, context: { signal: AbortSignal }) => {
    signal = context.signal;
    return new Promise<string>(() => {});
  };
  const breaker = new CircuitBreaker(action, { timeout: 20, signal: true });
  await expect(breaker.fire('a')).rejects.toBeInstanceOf(TimeoutError);
  expect(signal?.aborted).toBe(true);
});

test('a fallback answers instead, with the arguments and the error', async () => {
  const breaker = new CircuitBreaker((_id: string): Promise<string> => broken());
  breaker.fallback((id, error) => `${id} without: ${error.message}`);
  expect(await breaker.fire('a')).toBe('a without: away');
});
