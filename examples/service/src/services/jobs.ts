import type { TimerManager } from '../lib/utilities/performance/timerManager';

/** Work that is repeated in the background. */
export interface Job {
  name: string;
  /** Milliseconds between two starts. */
  interval: number;
  run(): void | Promise<void>;
}

export interface JobReport {
  name: string;
  interval: number;
  runs: number;
  skipped: number;
  failures: number;
  /** Message of the latest failure; null if there was none. */
  lastFailure: string | null;
}

/** Runs jobs at their intervals; a job that still runs is skipped, and one that fails is counted and goes on. */
export class Jobs {
  readonly #reports = new Map<Job, JobReport>();
  readonly #running = new Set<Job>();
  readonly #handles: NodeJS.Timeout[] = [];

  constructor(
    private readonly timers: TimerManager,
    private readonly jobs: readonly Job[],
  ) {
    for (const job of jobs) {
      const { name, interval } = job;
      this.#reports.set(job, { name, interval, runs: 0, skipped: 0, failures: 0, lastFailure: null });
    }
  }

  start(): void {
    for (const job of this.jobs) {
      this.#handles.push(this.timers.setInterval(() => void this.#run(job), job.interval));
    }
  }

  stop(): void {
    for (const handle of this.#handles.splice(0)) this.timers.clearInterval(handle);
  }

  reports(): JobReport[] {
    return [...this.#reports.values()];
  }

  async #run(job: Job): Promise<void> {
    const report = this.#reports.get(job)!;
    if (this.#running.has(job)) {
      report.skipped++;
      return;
    }
    this.#running.add(job);
    report.runs++;
    try {
      await job.run();
    } catch (error) {
      report.failures++;
      report.lastFailure = error instanceof Error ? error.message : String(error);
    } finally {
      this.#running.delete(job);
    }
  }
}
