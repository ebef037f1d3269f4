import { refusal } from '../redis/link.js';
import type { Script } from '../redis/script.js';
import type { SharedSettings } from './fleetOptions.js';

/**
 * What a member has to do with the lease of the probes: it wants none, or gives it back; takes it if nobody needs it; needs
 * it, since it had to refuse calls; has it.
 */
export type Claim = 'none' | 'take' | 'need' | 'lead';

/** What the probes of the lease's holder have shown. */
export type Verdict = 'none' | 'open' | 'closed';

/** What a member tells the fleet. */
export interface FleetWord {
  /** Whether it has opened by its own calls. */
  votes: boolean;
  claim: Claim;
  verdict: Verdict;
  /** What it heard last; 0 if that is long ago. */
  epoch: number;
  open: boolean;
  /** Milliseconds until probes are due, as far as it knows. */
  wait: number;
}

/** How the fleet stands. */
export interface FleetView {
  open: boolean;
  /** Of this state; 0 if it was never open. */
  epoch: number;
  /** Milliseconds until probes are due. */
  wait: number;
  members: number;
  votes: number;
  /** Whether somebody has the lease of the probes. */
  held: boolean;
  /** Whether this member has. */
  mine: boolean;
  /** Whether another member needs it. */
  wanted: boolean;
}

const NUMBERS = 8;
/** Of a time in milliseconds, as Redis takes it; it stands for no end too. */
const LONGEST = 1e12;

/** A member's way to the fleet in Redis: see fleetScript.ts. */
export class FleetStore {
  private readonly keys: readonly string[];
  private readonly resetTimeout: number;

  constructor(
    private readonly script: Script,
    private readonly settings: SharedSettings,
    private readonly id: string,
    resetTimeout: number,
  ) {
    this.resetTimeout = whole(resetTimeout);
    this.keys = ['', ':members', ':votes'].map((part) => `${settings.key}${part}`);
  }

  /** @throws RedisError */
  async sync({ votes, claim, verdict, epoch, open, wait }: FleetWord): Promise<FleetView> {
    const reply = await this.run(true, votes, claim, verdict, epoch, open, whole(wait));
    // Clients can be told to give numbers as strings.
    const numbers = Array.isArray(reply) ? reply.map(Number) : [];
    if (numbers.length !== NUMBERS || !numbers.every(Number.isSafeInteger)) {
      throw refusal(
        'server',
        'Redis answered a circuit breaker’s script with something else than its numbers',
      );
    }
    return viewOf(numbers);
  }

  /** The member is gone. @throws RedisError */
  async leave(): Promise<void> {
    await this.run(false, false, 'leave', 'none', 0, false, 0);
  }

  private run(isIdle: boolean, ...word: (string | number | boolean)[]): Promise<unknown> {
    const { life, quorum, timeout } = this.settings;
    const all = [this.id, life, quorum, this.resetTimeout, ...word];
    return this.script.run(this.keys, all.map(textOf), timeout, isIdle);
  }

  close(): void {
    this.script.close();
  }
}

/** In the order of the script's answer. */
function viewOf(numbers: number[]): FleetView {
  const [open = 0, epoch = 0, wait = 0, members = 0, votes = 0, held = 0, mine = 0, wanted = 0] = numbers;
  return {
    ...{ epoch, wait, members, votes },
    ...{ open: open === 1, held: held === 1, mine: mine === 1, wanted: wanted === 1 },
  };
}

function whole(ms: number): number {
  return Math.min(Math.ceil(ms), LONGEST);
}

function textOf(value: string | number | boolean): string {
  return typeof value === 'boolean' ? String(Number(value)) : String(value);
}
