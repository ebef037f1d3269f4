import { Server } from 'node:net';
import { asyncDispose } from './dispose.js';
import { ShuttingDownError } from './errors.js';
import { ObservableEmitter } from './events.js';
import { type Entry, Graph } from './lifecycle/graph.js';
import {
  checkResource,
  type LifecycleOptions,
  nameOf,
  type PlaceOptions,
  placeOf,
  type ResourceOptions,
  type ServerOptions,
  type Settings,
  type ShutdownOptions,
  type SignalOptions,
  type StopContext,
  settingsOf,
  timeoutOf,
} from './lifecycle/options.js';
import { type ResourceReport, reportOf, type ShutdownReport } from './lifecycle/report.js';
import { stepOf } from './lifecycle/resource.js';
import { Run } from './lifecycle/run.js';
import { ServerDrain } from './lifecycle/server.js';
import { handleSignals } from './lifecycle/signals.js';
import { startAll } from './lifecycle/starts.js';
import { atImport, isAtImport, observe } from './metrics/member.js';
import { readLifecycle } from './metrics/readers/operations.js';
import { integer, invalid, options as named, string } from './validate.js';

/** 'starting' until `ready()` has resolved, 'draining' from `shutdown()` on until all has stopped. */
export type LifecycleState = 'starting' | 'ready' | 'draining' | 'stopped';

/** Events of a lifecycle; each is also published as `keelson:lifecycle:<event>` on `node:diagnostics_channel`. */
export interface LifecycleEvents extends Record<string, unknown> {
  /** A shutdown begins: readiness is false from now on. */
  shutdown: { reason: string };
  /** A resource has stopped, or is given up. */
  stopped: ResourceReport;
  /** The shutdown is over. */
  finished: ShutdownReport;
}

/** What {@link Lifecycle.getStats} tells. */
export interface LifecycleStats {
  state: LifecycleState;
  /** Registered resources. */
  resources: number;
  /** Requests that servers have under way. */
  requests: number;
  /** Connections of servers. */
  connections: number;
}

/** What stops a resource that says itself how: the disposal symbols, then `shutdown`, `close`, `end` and `destroy`. */
export type Stoppable =
  | ResourceOptions
  | { [Symbol.asyncDispose](): unknown }
  | { [Symbol.dispose](): unknown }
  | { shutdown(): unknown }
  | { close(): unknown }
  | { end(): unknown }
  | { destroy(): unknown };

/**
 * The parts of a service, started and stopped in order.
 *
 * Resources stop phase by phase, within a phase at once, and each before those that it depends on: what somebody in a later phase
 * depends on waits for that phase. One that fails or takes too long is reported and holds up nobody for longer than its budget.
 */
export class Lifecycle extends ObservableEmitter<LifecycleEvents> {
  #checked: Settings | undefined;
  readonly #graph = new Graph();
  readonly #starts = new AbortController();
  #state: LifecycleState = 'starting';
  #ready: Promise<void> | undefined;
  #shutdown: Promise<ShutdownReport> | undefined;
  #run: Run | undefined;

  /** @throws InvalidArgumentError for an option that is unknown, of the wrong type or out of range */
  constructor(options: LifecycleOptions = {}) {
    super('lifecycle');
    if (!isAtImport()) this.#checked = settingsOf(options);
    observe(this, readLifecycle);
  }

  /** The shared lifecycle's, which is there before anybody can configure it, are made at its first use. */
  get #settings(): Settings {
    this.#checked ??= settingsOf({});
    return this.#checked;
  }

  get state(): LifecycleState {
    return this.#state;
  }

  /**
   * Registers what is to be stopped: anything with `stop`, `close`, `end`, `destroy`, `shutdown` or a disposal symbol; a server is
   * drained as {@link server} does it. During a shutdown what has its phase still before it is taken.
   *
   * @param name unique
   * @param options where the resource stands, if it does not say so itself
   * @returns takes it off again, for who has stopped it; whether it was there
   * @throws DependencyError for a dependency that is not registered, or that leads back to the name
   * @throws ShuttingDownError where it is too late
   */
  register(name: string, resource: Stoppable, options: PlaceOptions = {}): () => boolean {
    // Asked for here at the latest: a shutdown is no time to find out that a variable is wrong.
    const { grace } = this.#settings;
    nameOf(name);
    if (!isObject(resource)) invalid('resource', 'an object', resource);
    if (resource instanceof Server) return this.#drained(name, resource, options, grace);
    if (!('stop' in resource) || typeof resource.stop !== 'function') {
      const { phase, dependsOn, timeout } = placeOf(options);
      return this.#add({ name, dependsOn, timeout, steps: [stepOf(resource, phase)] });
    }
    // Of an object of the service's own class only `stop` is ours to understand.
    const own = isPlainObject(resource) ? checkResource(resource) : {};
    const { phase = 'pools', dependsOn, timeout } = placeOf({ ...own.place, ...options });
    const stop = (context: StopContext): unknown => resource.stop(context);
    return this.#add({ name, dependsOn, timeout, steps: [{ phase, stop }], start: own.start });
  }

  /**
   * Registers a server of node:http, https, http2, net or tls, best before it listens. In a shutdown its answers say at once that their
   * connections close (HTTP/2: GOAWAY). After the readiness delay it stops accepting and closes idle connections; WebSockets
   * and other upgraded connections are told (1001) and ended; requests under way are answered. What is left when the time is over
   * is cut off, and counted.
   *
   * @returns takes it off again; whether it was there
   */
  server(server: Server, options: ServerOptions = {}): () => boolean {
    if (!(server instanceof Server)) invalid('server', 'a server of node:net, http, https or http2', server);
    named<ServerOptions>('options', options, ['name', 'dependsOn', 'timeout', 'grace']);
    const { name = 'server', grace = this.#settings.grace, dependsOn, timeout } = options;
    integer('grace', grace, 0, 600_000);
    return this.#drained(nameOf(name), server, { dependsOn, timeout }, grace);
  }

  /**
   * Calls `start` of each resource that has one, those that it depends on first, and says that the service is ready.
   * May be called again, for what has failed to start or was registered since.
   *
   * @throws what a `start` throws
   * @throws ShuttingDownError if a shutdown comes first
   */
  ready(): Promise<void> {
    this.#ready ??= this.#start().finally(() => {
      this.#ready = undefined;
    });
    return this.#ready;
  }

  /**
   * Stops everything. Never rejects, and gives all callers the same promise. Readiness is false at once; after the readiness delay,
   * phase by phase, each resource is stopped within its budgets.
   *
   * @throws InvalidArgumentError for an option that is unknown, of the wrong type or out of range
   */
  shutdown(options: ShutdownOptions = {}): Promise<ShutdownReport> {
    named<ShutdownOptions>('options', options, ['reason', 'timeout']);
    const { reason = 'shutdown', timeout = this.#settings.timeout } = options;
    string('reason', reason);
    timeoutOf('timeout', timeout);
    this.#shutdown ??= this.#stop(reason, timeout);
    return this.#shutdown;
  }

  /**
   * Shuts down at a signal; at the second one, which is any of them 100 ms later or more, the process exits at once with 128 + the
   * signal's number, and stderr has what was cut off. Nothing else listens to signals.
   *
   * @returns undoes it
   * @throws MainThreadError in a worker thread
   */
  handleSignals(options: SignalOptions = {}): () => void {
    return handleSignals(
      {
        shutdown: (reason) => this.shutdown({ reason }),
        left: () =>
          this.#state === 'stopped' ? [] : (this.#run?.left() ?? [...this.#graph.entries.values()]),
      },
      options,
    );
  }

  getStats(): LifecycleStats {
    const stats = { state: this.#state, resources: this.#graph.entries.size, requests: 0, connections: 0 };
    for (const entry of this.#graph.entries.values()) {
      const { requests = 0, connections = 0 } = entry.inFlight?.() ?? {};
      stats.requests += requests;
      stats.connections += connections;
    }
    return stats;
  }

  /** `shutdown()` at the end of an `await using` block. */
  async [asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  #drained(name: string, server: Server, options: PlaceOptions, grace: number): () => boolean {
    const { phase, dependsOn, timeout } = placeOf(options);
    if (phase !== undefined)
      invalid('phase', "left out for a server, which has 'accept' and 'requests'", phase);
    const drain = new ServerDrain(server, grace);
    const entry: Entry = {
      name,
      dependsOn,
      timeout,
      steps: drain.steps,
      drain: () => drain.drain(),
      inFlight: () => drain.inFlight(),
      release: () => drain.release(),
    };
    try {
      return this.#add(entry);
    } catch (error) {
      drain.release();
      throw error;
    }
  }

  #add(entry: Entry): () => boolean {
    const { entries } = this.#graph;
    if (this.#state === 'stopped')
      throw new ShuttingDownError(`'${entry.name}' is registered after the shutdown`);
    this.#graph.add(entry);
    try {
      this.#run?.check(entry);
    } catch (error) {
      entries.delete(entry.name);
      throw error;
    }
    if (this.#state === 'draining') entry.drain?.();
    this.#run?.add(entry);
    return () => {
      if (entries.get(entry.name) !== entry) return false;
      entries.delete(entry.name);
      entry.release?.();
      this.#run?.remove(entry.name);
      return true;
    };
  }

  async #start(): Promise<void> {
    const { signal } = this.#starts;
    signal.throwIfAborted();
    await startAll(this.#graph.entries, signal);
    signal.throwIfAborted();
    this.#state = 'ready';
  }

  async #stop(reason: string, timeout: number): Promise<ShutdownReport> {
    const began = performance.now();
    const { readinessDelay, budgets } = this.#settings;
    this.#state = 'draining';
    this.#starts.abort(new ShuttingDownError('A shutdown has begun'));
    for (const entry of this.#graph.entries.values()) entry.drain?.();
    this.announce('shutdown', { reason });
    const delay = Math.min(readinessDelay, timeout / 2);
    if (delay > 0) await new Promise((resolve) => setTimeout(resolve, delay));
    return new Promise((resolve) => {
      const finished = (rows: readonly ResourceReport[]): void => {
        this.#state = 'stopped';
        const report = reportOf(reason, performance.now() - began, rows);
        this.announce('finished', report);
        resolve(report);
      };
      const listener = { stopped: (row: ResourceReport) => this.announce('stopped', row), finished };
      this.#run = new Run(this.#graph.entries.values(), { reason, began, timeout }, budgets, listener);
      this.#run.start();
    });
  }
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

function isPlainObject(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** The lifecycle that a service shares. */
export const lifecycle: Lifecycle = atImport(() => new Lifecycle());
