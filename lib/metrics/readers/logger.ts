import type { WorkerAsyncLogger } from '../../workerAsyncLogger.js';
import { counter, peak, processCounter } from '../family.js';
import type { Tell } from '../told.js';

const LOG = 'keelson.log';
const BY_DESTINATION = { labels: ['destination'] };
const MESSAGES = counter(`${LOG}.messages`, '{line}', 'Lines that loggers were given, by level.', {
  labels: ['name', 'level'],
});
// A destination is the process's: all loggers that write there tell the same of it.
const LINES = processCounter(
  `${LOG}.lines`,
  '{line}',
  'Lines that a destination took in, wrote, recovered.',
  {
    labels: ['destination', 'state'],
  },
);
const DROPPED = processCounter(`${LOG}.dropped`, '{line}', 'Lines that were dropped, by cause.', {
  labels: ['destination', 'cause'],
});
const WRITTEN = processCounter(`${LOG}.written`, 'By', 'What was written.', BY_DESTINATION);
const WAITING = peak(`${LOG}.waiting`, '{line}', 'Lines that wait.', BY_DESTINATION);
const WAITING_BYTES = peak(`${LOG}.waiting.size`, 'By', 'Memory of lines that wait.', BY_DESTINATION);
const WRITES = processCounter(`${LOG}.writes`, '{append}', 'Appends.', BY_DESTINATION);
const FAILURES = processCounter(`${LOG}.write.failures`, '{append}', 'Appends that failed.', BY_DESTINATION);
const WRITE_TIME = processCounter(`${LOG}.write.time`, 's', 'Time that appends took.', BY_DESTINATION);
const ROTATIONS = processCounter(
  `${LOG}.rotations`,
  '{rotation}',
  'Files that were rotated.',
  BY_DESTINATION,
);
const LATENCY = peak(`${LOG}.latency`, 's', 'From a call until its line was written, by quantile.', {
  labels: ['destination', 'quantile'],
});

export function readLogger(logger: WorkerAsyncLogger, tell: Tell): void {
  const { levels, destinations } = logger.metrics();
  for (const [level, count] of Object.entries(levels)) tell(MESSAGES, count, { level });
  for (const { destination, ...metrics } of destinations) {
    tell(LINES, metrics.accepted, { destination, state: 'accepted' });
    tell(LINES, metrics.written, { destination, state: 'written' });
    tell(LINES, metrics.recovered, { destination, state: 'recovered' });
    for (const [cause, count] of Object.entries(metrics.dropped))
      tell(DROPPED, count, { destination, cause });
    tell(WRITTEN, metrics.bytes, { destination });
    tell(WAITING, metrics.waiting.lines, { destination });
    tell(WAITING_BYTES, metrics.waiting.bytes, { destination });
    tell(WRITES, metrics.writes, { destination });
    tell(FAILURES, metrics.failures, { destination });
    tell(WRITE_TIME, metrics.writeTime / 1000, { destination });
    tell(ROTATIONS, metrics.rotations, { destination });
    const { p50, p99 } = metrics.latency;
    tell(LATENCY, p50 / 1000, { destination, quantile: '0.5' });
    tell(LATENCY, p99 / 1000, { destination, quantile: '0.99' });
  }
}
