// Loaded into the server that is measured before anything else: tells, whenever it is asked, of the delay of its event loop and of
// its processor time since it was asked last.
const { monitorEventLoopDelay } = require('node:perf_hooks');
const { isMainThread } = require('node:worker_threads');

/** Between two looks at the clock, in milliseconds; what the histogram has is a delay on top of it. */
const RESOLUTION = 10;

// Threads load it too.
if (isMainThread) {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION });
  delay.enable();
  let used = process.cpuUsage();
  const above = (nanoseconds) => Math.max(0, nanoseconds / 1e6 - RESOLUTION);
  process.on('message', () => {
    const { user, system } = process.cpuUsage(used);
    const processor = user + system;
    process.send({ processor, delay: { p99: above(delay.percentile(99)), max: above(delay.max) } });
    used = process.cpuUsage();
    delay.reset();
  });
  process.on('disconnect', () => process.exit());
  // It shall not keep the process.
  process.channel.unref();
}
