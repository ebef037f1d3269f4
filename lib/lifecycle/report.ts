import type { CutOff, LifecyclePhase } from './options.js';

/** How a resource stopped. */
export interface ResourceReport {
  readonly name: string;
  /** In which it stopped: its own, or a later one where others depended on it for so long. */
  readonly phase: LifecyclePhase;
  /** 'failed' is what threw, 'timed-out' what took longer than it had. */
  readonly state: 'stopped' | 'failed' | 'timed-out';
  /** Milliseconds that it took, without what it waited for others. */
  readonly ms: number;
  readonly error?: unknown;
  /** What it cut off, by kind, if anything. */
  readonly cutOff?: CutOff;
}

/** How a shutdown went. */
export interface ShutdownReport {
  readonly reason: string;
  /** Milliseconds from its call. */
  readonly ms: number;
  /** Whether all stopped, and nothing was cut off. */
  readonly isClean: boolean;
  /** In the order in which they stopped. */
  readonly resources: readonly ResourceReport[];
  readonly stopped: number;
  readonly failed: number;
  readonly timedOut: number;
  /** Of all resources, by kind. */
  readonly cutOff: CutOff;
}

/** Adds what was cut off to a sum. */
export function addCutOff(sum: CutOff, more: CutOff): void {
  for (const [kind, count] of Object.entries(more)) sum[kind] = (sum[kind] ?? 0) + count;
}

export function reportOf(reason: string, ms: number, resources: readonly ResourceReport[]): ShutdownReport {
  const count = (state: ResourceReport['state']): number =>
    resources.filter((resource) => resource.state === state).length;
  const cutOff: CutOff = {};
  for (const resource of resources) addCutOff(cutOff, resource.cutOff ?? {});
  const stopped = count('stopped');
  return {
    reason,
    ms: Math.round(ms),
    isClean: stopped === resources.length && Object.keys(cutOff).length === 0,
    resources,
    stopped,
    failed: count('failed'),
    timedOut: count('timed-out'),
    cutOff,
  };
}
