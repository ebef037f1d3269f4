import { clearInterval, setInterval } from 'node:timers';

/** Milliseconds that nothing takes. */
const LONG = 3600_000;

/** Keeps the process alive until something has settled, for whoever waits for it. */
export async function held<T>(something: Promise<T>): Promise<T> {
  const hold = setInterval(() => {}, LONG);
  try {
    return await something;
  } finally {
    clearInterval(hold);
  }
}
