import { ConnectionError, type DestroyedError, TimeoutError } from '../errors.js';
import type { Core } from './core.js';
import { Pooled } from './pooled.js';
import { settle } from './settle.js';

/** A connection that is being opened. */
interface Opening {
  readonly slot: number;
  readonly began: number;
  readonly controller: AbortController;
  /** Whether what comes of it is no longer wanted. */
  over: boolean;
}

/** Opens connections. */
export class Openings<T> {
  /** Why the latest attempt failed; undefined once one succeeds. */
  failure: Error | undefined;
  private readonly core: Core<T>;
  private readonly current: (Opening | undefined)[] = [];
  private numbered = 0;

  constructor(core: Core<T>) {
    this.core = core;
  }

  begin(slot: number): void {
    const { core } = this;
    if (core.closed) {
      core.native.openFailed(core.time.now(), slot);
      return;
    }
    const opening = { slot, began: core.time.now(), controller: new AbortController(), over: false };
    this.current[slot] = opening;
    settle<T>(
      () => core.factory.create({ signal: opening.controller.signal }),
      (connection) => this.came(opening, connection),
      (error) => this.failed(opening, this.describe('failed', error)),
    );
  }

  /** The native core gave one up that took too long. */
  abandon(slot: number): void {
    const opening = this.current[slot];
    if (opening === undefined) return;
    const { name, createTimeout } = this.core.settings;
    const cause = new TimeoutError(`Opening a connection of pool '${name}'`, createTimeout);
    this.end(opening);
    this.note(this.describe(`gave no connection within ${createTimeout} ms`, cause));
    opening.controller.abort(cause);
  }

  /** Tells all that are on that the pool closes; it still waits for what comes of them. */
  abort(error: DestroyedError): void {
    for (const opening of [...this.current]) opening?.controller.abort(error);
  }

  /** Gives all up that are on. */
  drop(): void {
    for (const opening of [...this.current]) {
      if (opening === undefined) continue;
      this.end(opening);
      this.core.native.openFailed(this.core.time.now(), opening.slot);
    }
  }

  private end(opening: Opening): void {
    opening.over = true;
    this.current[opening.slot] = undefined;
  }

  private came(opening: Opening, connection: T): void {
    const { core } = this;
    const problem = this.problemOf(connection);
    if (opening.over) {
      if (problem === undefined) this.late(connection);
      return;
    }
    if (problem !== undefined) {
      this.failed(opening, this.describe(problem));
      return;
    }
    this.end(opening);
    const pooled = new Pooled<T>(core, opening.slot, connection, ++this.numbered);
    core.places[opening.slot] = pooled;
    // Values that are no objects have no identity: two that are equal may be two connections.
    if (typeof connection === 'object' || typeof connection === 'function') core.known.add(connection);
    this.succeeded(pooled, opening.began);
  }

  private succeeded(pooled: Pooled<T>, began: number): void {
    const { core } = this;
    const now = core.time.now();
    this.failure = undefined;
    core.figures.opened++;
    core.figures.creates.record(now - began);
    const ticket = core.native.opened(now, pooled.slot);
    pooled.expires = core.native.expires(pooled.slot);
    core.rest(pooled, ticket, now);
    core.emit('open', { pool: core.name, id: pooled.id, ms: now - began });
    core.after();
  }

  private failed(opening: Opening, error: ConnectionError): void {
    if (opening.over) return;
    this.end(opening);
    this.core.native.openFailed(this.core.time.now(), opening.slot);
    this.note(error);
    this.core.after();
  }

  private note(error: ConnectionError): void {
    const { core } = this;
    this.failure = error;
    core.figures.openErrors++;
    core.emit('openError', { pool: core.name, error, failures: core.failures });
  }

  /** What keeps a connection from being pooled. */
  private problemOf(connection: T): string | undefined {
    if (connection === undefined || connection === null) return `gave ${connection} for a connection`;
    return this.core.known.has(connection) ? 'gave a connection that the pool has already' : undefined;
  }

  private late(connection: T): void {
    const { core } = this;
    core.figures.late++;
    settle(
      () => core.factory.destroy?.(connection),
      () => {},
      (error) => core.emit('error', error),
    );
  }

  private describe(problem: string, ...causes: unknown[]): ConnectionError {
    const subject = `The factory's "create" of pool '${this.core.name}' ${problem}`;
    if (causes.length === 0) return new ConnectionError(subject);
    const [cause] = causes;
    return new ConnectionError(`${subject}: ${textOf(cause)}`, { cause });
  }
}

/** Text of anything that can be thrown. */
function textOf(thrown: unknown): string {
  try {
    return thrown instanceof Error ? thrown.message : String(thrown);
  } catch {
    return 'something that has no text';
  }
}
