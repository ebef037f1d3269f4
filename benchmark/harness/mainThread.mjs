import { readFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';

/** Between two looks of the monitor at the clock, in milliseconds; what it tells is longer by that at most. */
const RESOLUTION = 1;
/**
 * For how long the thread sleeps before and after what is measured, in milliseconds: the kernel brings a thread's
 * time up to date when it goes to sleep, and otherwise only every few milliseconds; the monitor needs a turn too.
 */
const SETTLE = 8;

const SCHEDSTAT = `/proc/self/task/${process.pid}/schedstat`;

/**
 * Milliseconds of processor time that the main thread has taken, what it collected itself included. Nothing tells
 * that everywhere on Node 20: there it is Linux's own figure, and elsewhere the time that the event loop was not
 * waiting for events, which counts as well what the thread waited for a processor.
 */
function chooseClock() {
  if (process.threadCpuUsage !== undefined) {
    return () => {
      const { user, system } = process.threadCpuUsage();
      return (user + system) / 1000;
    };
  }
  if (process.platform === 'linux') {
    return () => Number(readFileSync(SCHEDSTAT, 'latin1').split(' ')[0]) / 1e6;
  }
  return () => performance.eventLoopUtilization().active;
}

const mainThreadTime = chooseClock();

function processTime() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/**
 * What `run` costs, in milliseconds: of processor time on the main thread and on all threads together, of wall
 * time, and the longest that the event loop was held up meanwhile.
 */
export async function observe(run) {
  gc();
  const monitor = monitorEventLoopDelay({ resolution: RESOLUTION });
  monitor.enable();
  await pause(SETTLE);
  const [main, all, start] = [mainThreadTime(), processTime(), performance.now()];
  const result = await run();
  const wall = performance.now() - start;
  await pause(SETTLE);
  const cost = { main: mainThreadTime() - main, all: processTime() - all, wall, delay: monitor.max / 1e6 };
  monitor.disable();
  return { cost, result };
}
