import { performance } from 'node:perf_hooks';
import type { Autocannon, Run } from './autocannon.js';
import type { Hdr } from './histogram.js';
import { OpenModel } from './openModel.js';
import type { Request } from './request.js';
import { type Tallied, Tally } from './tally.js';

/** What a generator is to send. */
export interface Order {
  readonly request: Request;
  readonly requests: number;
  /** Requests a second. */
  readonly rate: number;
  readonly connections: number;
  /** Milliseconds. */
  readonly timeout: number;
  /** Milliseconds after the last request is due in which an answer still counts for the rate. */
  readonly grace: number;
}

/** What it tells while it sends. */
export interface Sending {
  readonly settled: number;
  readonly failed: number;
  /** Milliseconds. */
  readonly p99: number;
}

/** What it tells in the end. `utilization` is that of its event loop while it sent, from 0 to 1. */
export interface Sent extends Tallied {
  readonly utilization: number;
}

/** Milliseconds. */
const CONNECT_LIMIT = 5_000;
const TELL = 250;

/** A run of autocannon ends when it is told to, at its next sample: a day is more than any step takes. */
const ENDLESS = { duration: 86_400, sampleInt: 50 };

/** Sends what is ordered, and resolves when it is known what became of it. */
export async function send(
  autocannon: Autocannon,
  hdr: Hdr,
  { request, requests, rate, connections, timeout, grace }: Order,
  tell: (sending: Sending) => void,
): Promise<Sent> {
  const model = new OpenModel(timeout);
  const run = autocannon({
    ...request,
    ...ENDLESS,
    connections,
    timeout: timeout / 1000,
    setupClient: model.seat,
  });
  await unlessItFails(run, model.connected(CONNECT_LIMIT));
  const interval = 1000 / rate;
  const start = performance.now();
  const tally = new Tally(hdr, timeout, start + requests * interval + grace);
  const telling = setInterval(() => {
    tell({ settled: tally.settled, failed: tally.failed, p99: tally.p99 });
  }, TELL);
  const before = performance.eventLoopUtilization();
  let utilization = 0;
  const sending = () => {
    utilization = performance.eventLoopUtilization(before).utilization;
  };
  await unlessItFails(run, model.run({ start, interval, count: requests }, tally, sending));
  clearInterval(telling);
  run.stop();
  await run;
  return { ...tally.result(), utilization };
}

/** autocannon refuses options by rejecting its run. */
async function unlessItFails(run: Run, step: Promise<void>): Promise<void> {
  await Promise.race([run, step]);
}
