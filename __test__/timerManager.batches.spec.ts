import { TimerManager } from 'keelson';

let timers: TimerManager;
beforeEach(() => {
  timers = new TimerManager();
});
afterEach(() => {
  timers.destroy();
});

// Under load a service ended in this: requests that time out together end each other's timers.
test('a callback may end timers of a later batch that are due too, and give their slots away', async () => {
  const seen: string[] = [];
  const handles: NodeJS.Timeout[] = [];
  const later = new Promise<void>((resolve) => {
    timers.setTimeout(() => {
      for (const handle of handles.slice(2_500)) handle.close();
      for (let count = 0; count < 500; count++) timers.setTimeout(() => seen.push('early'), 60_000);
      timers.setTimeout(resolve, 5);
    }, 1);
  });
  for (let count = 0; count < 3_000; count++) handles.push(timers.setTimeout(() => seen.push('due'), 1));
  // All of them are due when the driver wakes.
  for (const until = performance.now() + 10; performance.now() < until; );
  await later;
  expect(seen).toEqual(new Array(2_500).fill('due'));
  expect(timers.getStats().total).toBe(500);
});
