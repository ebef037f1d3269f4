import type { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { Stop } from '../command.js';
import type { Hdr } from './histogram.js';

/** A connection of autocannon, with those of its inner parts that Seat needs. */
export interface Client extends EventEmitter {
  conn: Socket;
  readonly parser: { finish(): void; initialize(type: 'RESPONSE'): void };
  readonly pipelinedRequests: { clear(): void; terminateRequest(): unknown };
  /** Sends the next request. autocannon calls it when a connection was opened and after each answer. */
  _doRequest(): void;
}

/** A run, which resolves some time after `stop()`. */
export interface Run extends PromiseLike<unknown> {
  stop(): void;
}

export type Autocannon = (options: Record<string, unknown>) => Run;

const INSTALL = 'npm install --save-dev autocannon';

/** Where autocannon is: beside keelson, or in the folder where the command was started. */
export function findAutocannon(): string {
  for (const from of [__filename, join(process.cwd(), 'package.json')]) {
    try {
      return createRequire(from).resolve('autocannon');
    } catch {
      // Perhaps in the other place.
    }
  }
  throw new Stop(3, `keelson load needs the package autocannon. Install it: ${INSTALL}`);
}

export function loadAutocannon(path: string): Autocannon {
  return createRequire(path)(path) as Autocannon;
}

/** The histograms that autocannon uses, which are a dependency of its own. */
export function loadHdr(autocannon: string): Hdr {
  return createRequire(autocannon)('hdr-histogram-js') as Hdr;
}
