import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { CircuitBreakerFleet, CircuitBreakerOptions, CircuitBreakerState } from 'keelson';

export interface Look {
  state: CircuitBreakerState;
  fleet: CircuitBreakerFleet;
  fires: number;
  events: string[];
}

/** A process with a breaker: see fleetChild.js. */
export class Member {
  private readonly child: ChildProcess;
  private readonly waiting = new Map<number, (answer: any) => void>();
  private last = 0;

  /** @param called hears when a call has reached the action, in milliseconds */
  constructor(called: (time: number, member: Member) => void) {
    const env = { ...process.env, NODE_OPTIONS: '' };
    this.child = fork(join(__dirname, 'fleetChild.js'), { env });
    this.child.on('message', ({ id, answer, called: time }: any) => {
      if (time !== undefined) called(time, this);
      else this.waiting.get(id)?.(answer);
    });
  }

  private ask(deed: string, what?: unknown): Promise<any> {
    const id = ++this.last;
    return new Promise((resolve) => {
      this.waiting.set(id, resolve);
      this.child.send({ id, do: deed, with: what });
    });
  }

  make(options: CircuitBreakerOptions): Promise<void> {
    return this.ask('make', options);
  }

  /** Whether the dependency fails as this process sees it, and how long it takes. */
  dependency(state: { isDown: boolean; takes?: number }): Promise<void> {
    return this.ask('dependency', state);
  }

  fire(): Promise<string> {
    return this.ask('fire');
  }

  pour(whether: boolean): Promise<void> {
    return this.ask('pour', whether);
  }

  look(): Promise<Look> {
    return this.ask('look');
  }

  shutdown(): Promise<void> {
    return this.ask('shutdown');
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await ended;
  }
}
