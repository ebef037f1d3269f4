// Sends requests, in a process of its own: told `open`, it opens the connections, and told `run`, it sends requests for some
// seconds, at an even rate if there is one, and else on each connection the next one as soon as the last one is answered.
import { setTimeout as pause } from 'node:timers/promises';
import { percentile } from '../harness/stats.mjs';
import { Connections } from './connections.mjs';
import { requestsOf } from './requests.mjs';

/** How long answers are waited for after the last request, in milliseconds; what is missing then is an error. */
const GRACE = 15_000;

const TOO_MANY = 429;

let connections;

/** Counts what comes of requests. */
class Tally {
  /** Of all but those that were refused for their number, in milliseconds. */
  times = [];
  statuses = {};
  /** Answered with success before the end. */
  served = 0;

  constructor(end) {
    this.end = end;
  }

  add(outcome, start) {
    this.statuses[outcome] = (this.statuses[outcome] ?? 0) + 1;
    if (outcome === TOO_MANY) return;
    const now = performance.now();
    this.times.push(now - start);
    if (outcome >= 200 && outcome <= 299 && now <= this.end) this.served++;
  }
}

/** Each connection waits for its answer and asks again. */
async function closed(next, seconds) {
  const end = performance.now() + seconds * 1000;
  const tally = new Tally(end);
  const ask = () => {
    const start = performance.now();
    connections.send(next(), (outcome) => {
      tally.add(outcome, start);
      if (performance.now() < end) ask();
    });
  };
  while (connections.idle > 0) ask();
  await pause(seconds * 1000);
  return tally;
}

/**
 * Requests come when they are due, whether or not others have been answered. Where all connections are busy they wait for one, and
 * that counts from when they were due.
 */
async function open(next, seconds, rate) {
  const begin = performance.now();
  const end = begin + seconds * 1000;
  const tally = new Tally(end);
  const late = [];
  const waiting = [];
  const ask = (start) => {
    connections.send(next(), (outcome) => {
      tally.add(outcome, start);
      if (waiting.length > 0) ask(waiting.shift());
    });
  };
  for (let sent = 0, now = begin; now < end; now = performance.now()) {
    for (; sent < ((now - begin) * rate) / 1000; sent++) {
      const due = begin + (sent * 1000) / rate;
      if (connections.idle === 0) waiting.push(due);
      else {
        late.push(performance.now() - due);
        ask(performance.now());
      }
    }
    await pause(1);
  }
  return Object.assign(tally, { waiting, lateness: percentile(late, 0.99) });
}

/** Until all have been answered, or nobody waits any longer. */
async function settle(tally) {
  const until = performance.now() + GRACE;
  while (connections.idle < connections.size && performance.now() < until) await pause(50);
  const unanswered = connections.size - connections.idle + (tally.waiting?.splice(0).length ?? 0);
  tally.statuses.unanswered = unanswered;
  for (let count = 0; count < unanswered; count++) tally.times.push(GRACE);
}

async function run({ load, seconds, rate, ...given }) {
  const next = requestsOf(load, given);
  const cpu = process.cpuUsage();
  const tally = await (rate === undefined ? closed(next, seconds) : open(next, seconds, rate));
  const { user, system } = process.cpuUsage(cpu);
  await settle(tally);
  const { times, statuses, served, lateness } = tally;
  const busy = (user + system) / 1e4 / seconds;
  return { times: Float64Array.from(times), statuses, served, lateness, busy };
}

process.on('message', async ({ open, run: asked }) => {
  if (open !== undefined) {
    connections = new Connections(open.url, open.connections);
    await connections.open();
    process.send('opened');
  } else {
    process.send(await run(asked));
  }
});
process.on('disconnect', () => process.exit());
