import { boolean, integer, invalid, number, oneOf } from '../validate.js';
import type { Engine } from './engine.js';
import { GATE, STATE } from './native.js';
import { type CircuitBreakerState, type CircuitBreakerStats, STATES, statsOf } from './stats.js';

/** A breaker as JSON, for `restore()`. */
export interface CircuitBreakerSnapshot {
  name: string;
  state: CircuitBreakerState;
  enabled: boolean;
  shutdown: boolean;
  /** When this was, in milliseconds since 1970. */
  at: number;
  /** When it becomes half-open, likewise; null unless it is open until then. */
  halfOpenAt: number | null;
  /** The calls that it judges by, in the words of the native core. */
  window: { type: 'count' | 'time'; calls: number[] };
  /** For whoever looks at it; not restored. */
  status: CircuitBreakerStats;
}

export function snapshotOf(engine: Engine): CircuitBreakerSnapshot {
  const now = engine.time.now();
  const at = Date.now();
  const { settings, state } = engine;
  const calls = new Float64Array(engine.native.dump(now));
  engine.native.take(calls);
  const due = engine.due[0]!;
  return {
    name: settings.name,
    state: STATES[state[STATE.gate]!]!,
    enabled: engine.enabled,
    shutdown: engine.shut,
    at,
    halfOpenAt: due === Number.POSITIVE_INFINITY ? null : at + Math.max(0, due - now),
    window: { type: settings.counts ? 'count' : 'time', calls: [...calls] },
    status: statsOf(engine),
  };
}

/** Takes over a snapshot as of now: what has gone since counts, but not time that a clock was set back. */
export function restore(engine: Engine, given: CircuitBreakerSnapshot): void {
  const { state, enabled, at, halfOpenAt, window } = checked(given);
  const now = engine.time.now();
  const elapsed = Math.max(0, Date.now() - at);
  engine.enable(enabled);
  const gate = STATES.indexOf(state);
  engine.native.go(now, gate);
  if (gate === GATE.open && halfOpenAt !== null) {
    engine.native.open(now, now + Math.max(0, halfOpenAt - at - elapsed));
  }
  // A window of another kind says nothing of this one's calls.
  if (window.type === (engine.settings.counts ? 'count' : 'time')) {
    engine.native.load(now, elapsed, Float64Array.from(window.calls));
  }
  engine.after(now);
  engine.native.tick(now);
  engine.after(now);
}

function checked(given: unknown): CircuitBreakerSnapshot {
  if (typeof given !== 'object' || given === null) invalid('snapshot', 'what toJSON() returned', given);
  const snapshot = given as CircuitBreakerSnapshot;
  oneOf('snapshot.state', snapshot.state, STATES);
  boolean('snapshot.enabled', snapshot.enabled);
  integer('snapshot.at', snapshot.at, 0);
  if (snapshot.halfOpenAt !== null) number('snapshot.halfOpenAt', snapshot.halfOpenAt, 0, Number.MAX_VALUE);
  const { window } = snapshot;
  if (typeof window !== 'object' || window === null || !Array.isArray(window.calls)) {
    invalid('snapshot.window', 'what toJSON() returned', window);
  }
  oneOf('snapshot.window.type', window.type, ['count', 'time']);
  window.calls.forEach((value, index) => {
    number(`snapshot.window.calls[${index}]`, value, 0, Number.MAX_VALUE);
  });
  return snapshot;
}
