import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { Stop } from '../command.js';
import { loadHdr } from './autocannon.js';
import type { Told } from './generator.js';
import { type Hdr, Latencies, type Percentiles } from './histogram.js';
import type { Order, Sending, Sent } from './send.js';

/** What became of the requests of all processes. */
export interface Measured extends Omit<Sent, 'latency' | 'uncorrected' | 'lateness'> {
  /** From when a request was due to its answer. */
  readonly latency: Percentiles | null;
  /** From when it was sent to its answer. */
  readonly uncorrected: Percentiles | null;
  /** From when it was due to when the generator looked. */
  readonly lateness: Percentiles | null;
}

/** The processes that send. */
export class Generators {
  readonly #hdr: Hdr;
  readonly #children: ChildProcess[];

  constructor(autocannon: string, workers: number) {
    this.#hdr = loadHdr(autocannon);
    this.#children = Array.from({ length: workers }, () =>
      fork(join(__dirname, 'generator.js'), [autocannon], {
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
        serialization: 'advanced',
        execArgv: [],
      }),
    );
  }

  /** Sends one request. */
  probe(order: Omit<Order, 'requests' | 'rate' | 'connections'>): Promise<Measured> {
    return this.#run(this.#children.slice(0, 1), { ...order, requests: 1, rate: 1, connections: 1 });
  }

  /** Each process sends a share of the requests. */
  send(order: Order, progress?: (sending: Sending) => void): Promise<Measured> {
    return this.#run(this.#children.slice(0, order.requests), order, progress);
  }

  /** Ends the processes; what they send is lost, and its promise rejects. */
  close(): void {
    for (const child of this.#children) child.kill();
  }

  async #run(
    children: readonly ChildProcess[],
    order: Order,
    progress?: (sending: Sending) => void,
  ): Promise<Measured> {
    const { length } = children;
    const sending: Sending[] = [];
    const share = (all: number, index: number) => Math.floor((all + index) / length);
    const sent = children.map((child, index) => {
      const part = {
        ...order,
        requests: share(order.requests, index),
        rate: order.rate / length,
        connections: Math.max(1, share(order.connections, index)),
      };
      return ask(child, part, (told) => {
        sending[index] = told;
        progress?.(sumOf(sending));
      });
    });
    return this.#sum(await Promise.all(sent));
  }

  #sum(sent: readonly Sent[]): Measured {
    const total = (name: 'requests' | 'inTime' | 'timeouts' | 'lost' | 'queued') =>
      sent.reduce((sum, one) => sum + one[name], 0);
    const percentiles = (name: 'latency' | 'uncorrected' | 'lateness') => {
      const all = new Latencies(this.#hdr);
      for (const one of sent) all.merge(one[name]);
      return all.percentiles();
    };
    const statuses: Record<string, number> = {};
    for (const one of sent) {
      for (const [status, count] of Object.entries(one.statuses)) {
        statuses[status] = (statuses[status] ?? 0) + count;
      }
    }
    return {
      requests: total('requests'),
      inTime: total('inTime'),
      statuses,
      timeouts: total('timeouts'),
      lost: total('lost'),
      unreachable: sent.find(({ unreachable }) => unreachable !== undefined)?.unreachable,
      queued: total('queued'),
      utilization: Math.max(...sent.map(({ utilization }) => utilization)),
      latency: percentiles('latency'),
      uncorrected: percentiles('uncorrected'),
      lateness: percentiles('lateness'),
    };
  }
}

function sumOf(all: readonly Sending[]): Sending {
  // Some may not have told anything yet: holes, which reduce() passes over.
  return all.reduce((sum, one) => ({
    settled: sum.settled + one.settled,
    failed: sum.failed + one.failed,
    p99: Math.max(sum.p99, one.p99),
  }));
}

function ask(child: ChildProcess, order: Order, progress: (sending: Sending) => void): Promise<Sent> {
  return new Promise((resolve, reject) => {
    const ended = () => end(() => reject(new Stop(3, 'A process that sends requests has ended by itself')));
    const told = (message: Told) => {
      if ('sending' in message) progress(message.sending);
      else if ('sent' in message) end(() => resolve(message.sent));
      else end(() => reject(new Stop(3, `autocannon: ${message.error}`)));
    };
    const end = (settle: () => void) => {
      child.off('message', told).off('exit', ended);
      settle();
    };
    if (!child.connected) {
      ended();
      return;
    }
    child.on('message', told).on('exit', ended);
    child.send(order, (error) => error && ended());
  });
}
