import { setImmediate } from 'node:timers/promises';
import { Construction } from '../dist/json/construction';
import type { Input } from '../dist/json/input';
import { type Jobs, NO_LIMITS } from '../dist/json/jobs';

// A native thread comes to rest at any moment, also between two questions of the main thread. About one document in a
// thousand was forgotten when that happened after it was asked whether it wants more text: its promise never settled, and
// with nothing else to do the process ended.
test('a thread that comes to rest while the main thread looks is given what is left', async () => {
  let isResting = false;
  const answerAndRest = <T>(answer: () => T) => {
    const answered = answer();
    isResting = true;
    return answered;
  };
  // The thread rests right after the first question that is put to it, whichever that is.
  const native = {
    take: () => 0,
    isHungry: () => answerAndRest(() => isResting),
    isIdle: () => answerAndRest(() => isResting),
  };
  const awaited: unknown[] = [];
  const jobs = { native, hold() {}, letGo() {}, await: (one: unknown) => awaited.push(one) };
  let pushes = 0;
  const input: Input = {
    get pending() {
      return pushes < 2;
    },
    pushed: 0,
    push: () => {
      pushes += 1;
      return false;
    },
  };
  const receiver = {
    succeed() {},
    fail(error: unknown) {
      throw error;
    },
  };
  new Construction(jobs as unknown as Jobs, 1, 'normal', input, NO_LIMITS, receiver);
  await setImmediate();
  await setImmediate();
  expect({ pushes, awaited: awaited.length }).toEqual({ pushes: 2, awaited: 0 });
});
