import { setImmediate } from 'node:timers';
import type { RedisError } from '../errors.js';
import { ClientEval, redisErrorOf } from './clientEval.js';
import type { Asker } from './limits.js';
import { refusal } from './link.js';
import { ROOM, ROW } from './native.js';
import { type PlannedCall, RedisPlanner } from './plan.js';

/** What is read of a limiter's settings. */
interface ClientSettings {
  readonly keyPrefix: string;
  readonly numbers: Float64Array;
  readonly storeTimeout: number;
}

/**
 * A limiter whose state is in a Redis that a client of the service's talks to. Nothing of the client is used but its own
 * commands `evalsha` and `eval`, in ioredis' form or in node-redis'. All that is asked in a turn goes as one batch.
 */
export class RedisClientLimits {
  readonly planner: RedisPlanner;
  readonly timeout: number;
  readonly evaluation: ClientEval;
  private readonly waves = new Set<ClientWave>();
  private gathering: ClientWave | undefined;

  constructor(
    readonly client: any,
    { keyPrefix, numbers, storeTimeout }: ClientSettings,
  ) {
    this.planner = new RedisPlanner(keyPrefix, numbers);
    this.timeout = storeTimeout;
    this.evaluation = new ClientEval(client, this.planner.source);
  }

  ask(op: number, key: string, amount: number, extra: number, asker: Asker): void {
    let wave = this.gathering;
    if (wave === undefined) {
      wave = this.gathering = new ClientWave(this, this.waves);
      setImmediate(this.flush);
    }
    wave.add(op, key, amount, extra, asker);
    if (wave.size === ROOM) this.flush();
  }

  /** Whoever waits fails. The client is its owner's to close. */
  close(): void {
    this.gathering = undefined;
    for (const wave of this.waves) wave.end(refusal('closed', 'The rate limiter was destroyed'));
  }

  private readonly flush = (): void => {
    const wave = this.gathering;
    if (wave === undefined) return;
    this.gathering = undefined;
    wave.send();
  };
}

/** What was asked in one turn. */
class ClientWave {
  private readonly keys: string[] = [];
  private readonly numbers: number[] = [];
  /** Those that wait; undefined once they are answered. */
  private readonly askers: (Asker | undefined)[] = [];
  private waiting = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly limits: RedisClientLimits,
    private readonly under: Set<ClientWave>,
  ) {
    under.add(this);
  }

  get size(): number {
    return this.askers.length;
  }

  add(op: number, key: string, amount: number, extra: number, asker: Asker): void {
    this.keys.push(key);
    this.numbers.push(op, amount, extra);
    this.askers.push(asker);
    this.waiting++;
  }

  send(): void {
    const { client, planner, timeout } = this.limits;
    const late = (): void => this.end(refusal('timeout', `Redis gave no answer within ${timeout} ms`));
    this.timer = setTimeout(late, timeout);
    for (const call of planner.plan(this.keys, this.numbers, !hasOneNode(client))) void this.call(call);
  }

  /** Whoever still waits fails. */
  end(error: RedisError): void {
    this.fail(this.askers.keys(), error);
  }

  private async call(call: PlannedCall): Promise<void> {
    try {
      // Names are UTF-8, and not every client takes them as bytes.
      const names = call.keys.map((key) => key.toString());
      this.answer(call, await this.limits.evaluation.run(names, call.args));
    } catch (error) {
      this.fail(call.asks, redisErrorOf(error));
    }
  }

  private answer({ asks }: PlannedCall, reply: unknown): void {
    const { planner } = this.limits;
    if (!planner.read(reply, asks.length)) {
      this.fail(asks, refusal('server', 'The Redis client gave something that no rate limit script answers'));
      return;
    }
    for (const [row, index] of asks.entries()) this.take(index)?.answered(planner.numbers, row * ROW);
  }

  private fail(asks: Iterable<number>, error: RedisError): void {
    for (const index of asks) this.take(index)?.failed(error);
  }

  /** Who asked, unless that is answered: after it the answer has no effect. */
  private take(index: number): Asker | undefined {
    const asker = this.askers[index];
    if (asker === undefined) return undefined;
    this.askers[index] = undefined;
    if (--this.waiting === 0) {
      clearTimeout(this.timer);
      this.under.delete(this);
    }
    return asker;
  }
}

/** Whether a client is known to talk to one server: then a call may have any keys. Of others its keys share a slot. */
export function hasOneNode(client: any): boolean {
  if (client.isCluster === false) return true;
  return (
    typeof client.evalSha === 'function' && typeof client.isOpen === 'boolean' && client.masters === undefined
  );
}
