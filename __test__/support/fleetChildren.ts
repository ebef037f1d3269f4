import type { CircuitBreakerFleet, CircuitBreakerOptions, CircuitBreakerState } from 'keelson';
import { AskedProcess } from './askedProcess';

export interface Look {
  state: CircuitBreakerState;
  fleet: CircuitBreakerFleet;
  fires: number;
  events: string[];
}

/** A process with a breaker: see fleetChild.js. */
export class Member extends AskedProcess {
  /** @param called hears when a call has reached the action, in milliseconds */
  constructor(private readonly called: (time: number, member: Member) => void) {
    super('fleetChild.js');
  }

  protected hear({ called: time }: { called: number }): void {
    this.called(time, this);
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
}
