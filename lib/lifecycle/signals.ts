import { writeSync } from 'node:fs';
import { constants } from 'node:os';
import { isMainThread } from 'node:worker_threads';
import { MainThreadError } from '../errors.js';
import { boolean, invalid, options as named } from '../validate.js';
import type { Entry } from './graph.js';
import type { SignalOptions } from './options.js';
import type { ShutdownReport } from './report.js';

/** A signal that comes again within so many milliseconds is the same one: `npm start` passes on a Ctrl-C that all get. */
const SAME = 100;
/** Milliseconds that a process has to end by itself after its shutdown. */
const PATIENCE = 1_000;

/** What signals are handled for. */
export interface Host {
  shutdown(reason: string): Promise<ShutdownReport>;
  /** What has not stopped. */
  left(): readonly Entry[];
}

/**
 * The first signal shuts down, the second one ends the process.
 * @returns undoes it
 */
export function handleSignals(host: Host, given: SignalOptions): () => void {
  named<SignalOptions>('options', given, ['signals', 'exit']);
  const { signals = ['SIGTERM', 'SIGINT'], exit = true } = given;
  boolean('exit', exit);
  if (!Array.isArray(signals)) invalid('signals', 'an array of signals', signals);
  for (const signal of signals) if (!(signal in constants.signals)) invalid('signals', 'signals', signal);
  if (!isMainThread) {
    throw new MainThreadError(
      'Signals come to the main thread only: call handleSignals() there, and shutdown() here when it says so',
    );
  }
  let first: number | undefined;
  const handle = (signal: NodeJS.Signals): void => {
    if (first !== undefined) {
      if (performance.now() - first >= SAME) force(signal, host.left());
      return;
    }
    first = performance.now();
    void host.shutdown(signal).then((report) => {
      if (exit) leave(report);
    });
  };
  for (const signal of signals) process.on(signal, handle);
  return () => {
    for (const signal of signals) process.off(signal, handle);
  };
}

function leave({ isClean }: ShutdownReport): void {
  if (!isClean) process.exitCode = 1;
  process.exitCode ??= 0;
  const end = (): void => {
    say(`still open after the shutdown: ${process.getActiveResourcesInfo().join(', ')}`);
    process.exit();
  };
  setTimeout(end, PATIENCE).unref();
}

function force(signal: NodeJS.Signals, left: readonly Entry[]): void {
  const cut = left.map((entry) => {
    const { requests = 0, connections = 0 } = entry.inFlight?.() ?? {};
    return connections === 0
      ? entry.name
      : `${entry.name} (${requests} requests, ${connections} connections)`;
  });
  say(`${signal} again: exits at once${cut.length === 0 ? '' : `, cutting off ${cut.join(', ')}`}`);
  process.exit(128 + constants.signals[signal]);
}

/** At once, even where stderr is a pipe. */
function say(text: string): void {
  try {
    writeSync(2, `keelson lifecycle: ${text}\n`);
  } catch {
    // Nobody reads it.
  }
}
