import { setTimeout as pause } from 'node:timers/promises';

/**
 * Does `work` so many times, each due `interval` milliseconds after the one before; who is held up does late what is due,
 * but all of it. Resolves to how late each began, in milliseconds.
 */
export async function steadily({ times, interval }, work) {
  const late = new Float64Array(times);
  const begin = performance.now();
  for (let time = 0; time < times; time++) {
    const due = begin + time * interval;
    await pause(Math.max(1, Math.ceil(due - performance.now())));
    late[time] = Math.max(0, performance.now() - due);
    work();
  }
  return late;
}
