import { randomUUID } from 'node:crypto';
import { refusal } from '../redis/link.js';
import { openScript } from '../redis/openScript.js';
import type { RedisSource } from '../redis/options.js';
import type { Script } from '../redis/script.js';
import type { ScalingSettings } from './options.js';
import { LIVES } from './plan.js';
import { SCALING_SCRIPT } from './script.js';

/** How the fleet stands. */
export interface FleetLoads {
  /** By Redis's clock, in milliseconds. */
  readonly now: number;
  readonly members: number;
  /** Of the fleet, by the number of their interval. */
  readonly loads: readonly (readonly [interval: number, load: number])[];
}

/** Loads that are heard of at once. */
const PAGE = 2_000;

/** A member's way to the loads of its fleet in Redis: see script.ts. Nothing of it holds the process. */
export class Fleet {
  readonly #settings: ScalingSettings;
  readonly #keep: number;
  readonly #id = randomUUID();
  readonly #script: Script;
  readonly #keys: readonly string[];

  /** @param keep intervals whose loads are kept */
  constructor(redis: RedisSource, settings: ScalingSettings, keep: number) {
    this.#settings = settings;
    this.#keep = keep;
    this.#keys = [':members', ':loads', ':fleet'].map((part) => `${settings.key}${part}`);
    this.#script = openScript(SCALING_SCRIPT, redis);
  }

  /**
   * Tells the load of this member, unless that is undefined, and hears those of the fleet since an interval.
   *
   * @throws RedisError
   */
  async exchange(load: number | undefined, since: number): Promise<FleetLoads> {
    let answer = await this.#ask(load === undefined ? '' : String(load), since);
    const loads = [...answer.loads];
    while (answer.loads.length === PAGE) {
      answer = await this.#ask('', loads[loads.length - 1]![0] + 1);
      loads.push(...answer.loads);
    }
    return { ...answer, loads };
  }

  /** Counts no more. @throws RedisError */
  async leave(): Promise<void> {
    await this.#ask('leave', 0);
  }

  close(): void {
    this.#script.close();
  }

  async #ask(load: string, since: number): Promise<FleetLoads> {
    const { interval, timeout } = this.#settings;
    const life = String(LIVES * interval);
    const args = [this.#id, load, String(interval), life, String(this.#keep), String(since), String(PAGE)];
    return loadsOf(await this.#script.run(this.#keys, args, timeout, true));
  }
}

function loadsOf(reply: unknown): FleetLoads {
  // Strings are bytes from a link and from some clients, and numbers strings from others.
  const [now, members, text] = Array.isArray(reply) ? reply.map(String) : [];
  const loads = (text ?? '')
    .split(',')
    .filter((one) => one !== '')
    .map((one) => one.split(':').map(Number) as [number, number]);
  if (text === undefined || !loads.flat().concat(Number(now), Number(members)).every(Number.isFinite)) {
    throw refusal('server', 'Redis answered the script of a scaling with something else than its numbers');
  }
  return { now: Number(now), members: Number(members), loads };
}
