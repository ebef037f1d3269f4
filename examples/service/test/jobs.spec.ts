import { TimerManager } from '../src/lib/utilities/performance/timerManager';
import { Jobs } from '../src/services/jobs';

let timers: TimerManager;

beforeEach(() => {
  jest.useFakeTimers();
  timers = new TimerManager();
});

afterEach(() => {
  timers.destroy();
  jest.useRealTimers();
});

test('a job runs at its interval until the jobs stop', async () => {
  const run = jest.fn();
  const jobs = new Jobs(timers, [{ name: 'tick', interval: 1000, run }]);
  jobs.start();
  await jest.advanceTimersByTimeAsync(3500);
  expect(run).toHaveBeenCalledTimes(3);
  jobs.stop();
  await jest.advanceTimersByTimeAsync(5000);
  expect(run).toHaveBeenCalledTimes(3);
  expect(timers.getStats().total).toBe(0);
});

test('a job that fails is reported and runs again', async () => {
  const run = jest
    .fn()
    .mockRejectedValueOnce(new Error('source is down'))
    .mockImplementationOnce(() => {
      throw 'thrown at once';
    })
    .mockResolvedValue(undefined);
  const jobs = new Jobs(timers, [{ name: 'refresh', interval: 10, run }]);
  jobs.start();
  await jest.advanceTimersByTimeAsync(10);
  expect(jobs.reports()).toEqual([
    { name: 'refresh', interval: 10, runs: 1, skipped: 0, failures: 1, lastFailure: 'source is down' },
  ]);
  await jest.advanceTimersByTimeAsync(20);
  expect(jobs.reports()[0]).toMatchObject({ runs: 3, failures: 2, lastFailure: 'thrown at once' });
});

test('a job that still runs is not started again', async () => {
  let finish = () => {};
  const run = jest.fn(() => new Promise<void>((resolve) => (finish = resolve)));
  const jobs = new Jobs(timers, [{ name: 'slow', interval: 10, run }]);
  jobs.start();
  await jest.advanceTimersByTimeAsync(35);
  expect(jobs.reports()[0]).toMatchObject({ runs: 1, skipped: 2 });
  finish();
  await jest.advanceTimersByTimeAsync(10);
  expect(jobs.reports()[0]).toMatchObject({ runs: 2, skipped: 2 });
});
