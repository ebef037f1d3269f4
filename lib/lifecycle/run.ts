import { ShuttingDownError } from '../errors.js';
import { attempt, type Outcome } from './attempt.js';
import { dependentsOf, type Entry, ranksOf } from './graph.js';
import { type CutOff, PHASES, type Settings } from './options.js';
import { addCutOff, type ResourceReport } from './report.js';

/** Share of a shutdown's time that is the loggers' alone, so that what went wrong before gets into the log. */
const KEPT = 0.1;

/** A resource that has not stopped yet. */
interface Progress {
  readonly entry: Entry;
  /** Of its steps, the one that runs or comes next. */
  step: number;
  isRunning: boolean;
  ms: number;
  readonly cutOff: CutOff;
  /** Of the first step that did not end well. */
  failure: Outcome | undefined;
}

/** Hears of a run, as it happens. */
export interface RunListener {
  stopped(row: ResourceReport): void;
  finished(rows: readonly ResourceReport[]): void;
}

/** Stops resources in the order of their phases and dependencies, as many at once as that allows. */
export class Run {
  readonly #rows: ResourceReport[] = [];
  readonly #left = new Map<string, Progress>();
  readonly #reason: string;
  readonly #budgets: Settings['budgets'];
  readonly #listener: RunListener;
  /** When all has to be over. */
  readonly #began: number;
  readonly #timeout: number;
  /** Of those in PHASES; -1 before the first one. */
  #phase = -1;
  #phaseEnd = 0;

  /**
   * @param began when the shutdown did, on the clock of `performance.now()`
   */
  constructor(
    entries: Iterable<Entry>,
    shutdown: { reason: string; began: number; timeout: number },
    budgets: Settings['budgets'],
    listener: RunListener,
  ) {
    this.#reason = shutdown.reason;
    this.#began = shutdown.began;
    this.#timeout = shutdown.timeout;
    this.#budgets = budgets;
    this.#listener = listener;
    for (const entry of entries) this.#take(entry);
  }

  /** Begins with all that may stop at once. */
  start(): void {
    this.#pump();
  }

  /** The resources that have not stopped. */
  left(): Entry[] {
    return [...this.#left.values()].map(({ entry }) => entry);
  }

  /** @throws ShuttingDownError for what comes too late */
  check(entry: Entry): void {
    const isLate = entry.steps.some(({ phase }) => PHASES.indexOf(phase) < this.#phase);
    const lost = entry.dependsOn.find((name) => !isUntouched(this.#left.get(name)));
    if (!isLate && lost === undefined) return;
    const why = isLate ? `phase '${PHASES[this.#phase]}' is under way` : `'${lost}' is stopped already`;
    throw new ShuttingDownError(
      `'${entry.name}' is registered too late in a shutdown: ${why}. Stop it there`,
    );
  }

  add(entry: Entry): void {
    this.#take(entry);
    this.#pump();
  }

  /** Lets go of what has not begun to stop. */
  remove(name: string): void {
    const progress = this.#left.get(name);
    if (!isUntouched(progress)) return;
    this.#left.delete(name);
    this.#pump();
  }

  #take(entry: Entry): void {
    // What was never started has nothing to stop.
    if (entry.start !== undefined && !entry.isStarted && entry.starting === undefined) return;
    this.#left.set(entry.name, { entry, step: 0, isRunning: false, ms: 0, cutOff: {}, failure: undefined });
  }

  /** Begins all that may stop now. */
  #pump(): void {
    const entries = new Map([...this.#left].map(([name, { entry }]) => [name, entry]));
    if (entries.size === 0) {
      this.#listener.finished(this.#rows);
      return;
    }
    const ranks = ranksOf(entries);
    const dependents = dependentsOf(entries.values());
    const all = [...this.#left.values()];
    const rankOf = ({ entry, step }: Progress): number => ranks.get(entry)![step]!;
    const phase = Math.max(this.#phase, Math.min(...all.map(rankOf)));
    if (phase !== this.#phase) this.#enter(phase);
    for (const progress of all) {
      if (progress.isRunning || rankOf(progress) > phase || dependents.has(progress.entry.name)) continue;
      progress.isRunning = true;
      void this.#stop(progress);
    }
  }

  #enter(phase: number): void {
    this.#phase = phase;
    const share = phase === PHASES.length - 1 ? 1 : 1 - KEPT;
    const last = this.#began + this.#timeout * share;
    this.#phaseEnd = Math.min(performance.now() + this.#budgets[PHASES[phase]!], last);
  }

  async #stop(progress: Progress): Promise<void> {
    const { entry } = progress;
    const began = performance.now();
    const ms = Math.min(this.#phaseEnd - began, entry.timeout);
    const outcome = await attempt(entry, entry.steps[progress.step]!, this.#reason, ms);
    progress.ms += performance.now() - began;
    progress.isRunning = false;
    addCutOff(progress.cutOff, outcome.cutOff);
    if (outcome.state !== 'stopped') progress.failure ??= outcome;
    progress.step++;
    // A server that could not stop accepting still has requests to wait for, and connections to end.
    if (progress.step === entry.steps.length) {
      this.#left.delete(entry.name);
      this.#row(progress, progress.failure ?? outcome);
    }
    this.#pump();
  }

  #row({ entry, ms, cutOff }: Progress, { state, error }: Outcome): void {
    const row: ResourceReport = {
      name: entry.name,
      phase: PHASES[this.#phase]!,
      state,
      ms: Math.round(ms),
      ...(error !== undefined && { error }),
      ...(Object.keys(cutOff).length > 0 && { cutOff }),
    };
    this.#rows.push(row);
    this.#listener.stopped(row);
  }
}

function isUntouched(progress: Progress | undefined): boolean {
  return progress !== undefined && !progress.isRunning && progress.step === 0;
}
