import { setTimeout } from 'node:timers';
import type { RedisItem, RedisReply } from '../redis/link.js';
import type { Caller, Calls } from './calls.js';
import { Reads } from './reads.js';
import {
  HEAR,
  LAND,
  LEASE,
  LONGEST,
  MOST_NEWS,
  NEWS,
  READ,
  RETENTION,
  TAGS,
  TELL,
  WRITE,
} from './scripts.js';
import { strange } from './strange.js';

/** What is found under a key. */
export type Found =
  | { kind: 'value'; bytes: Buffer; life: number }
  /** Nothing, and nobody is asked to load it. */
  | { kind: 'none' }
  /** Nothing, and who asked has the lease now. */
  | { kind: 'lead' }
  /** Nothing, and somebody else has the lease, for so long at least. */
  | { kind: 'wait'; life: number };

/** What has changed in the fleet. */
export interface News {
  /** Whether these are all: 'late' if they are not kept any more, 'forgotten' if Redis has lost some. */
  readonly state: 'whole' | 'late' | 'forgotten';
  readonly position: number;
  /** The latest that was given. */
  readonly last: number;
  /** Of the latest clearing. */
  readonly cleared: number;
  /** As long as it is the same, Redis has lost nothing. */
  readonly epoch: number;
  readonly hasMore: boolean;
  readonly items: readonly { member: string; position: number }[];
}

/** Tags that are asked for at once. */
const MANY = 500;
/** How often, and after how many milliseconds, a slot that is being moved is asked again. */
const [TRIES, PAUSE] = [50, 10];
const STATES = ['late', 'whole', 'forgotten'] as const;

/** L3: values, leases and news in Redis. Everything rejects with RedisError. See scripts.ts. */
export class Remote {
  /** What is told to all who use this cache. */
  readonly channel: string;
  readonly #prefix: string;
  readonly #shared: readonly string[];
  readonly #reads: Reads;
  readonly #land: Caller;
  readonly #lease: Caller;
  readonly #write: Caller;
  readonly #tell: Caller;
  readonly #hear: Caller;
  readonly #tags: Caller;

  constructor(calls: Calls, prefix: string) {
    this.#prefix = prefix;
    this.channel = `${calls.prefix}${prefix}{*}`;
    this.#shared = ['news', 'tags', 'last'].map((name) => `${prefix}{*}${name}`);
    this.#reads = new Reads(patient(calls.script(READ)), () => calls.hasOneServer);
    const script = (source: string): Caller => patient(calls.script(source));
    this.#land = script(LAND);
    this.#lease = script(LEASE);
    this.#write = script(WRITE);
    this.#tell = script(TELL);
    this.#hear = script(HEAR);
    this.#tags = script(TAGS);
  }

  /** @param token with which the lease is wanted, for `life` milliseconds; without one it is not */
  async read(key: string, token = '', life = 0, seen: Uint8Array = NOTHING): Promise<Found> {
    const [kind, number, value] = await this.#reads.read(this.#keys(key), [token, whole(life), seen]);
    switch (Number(kind)) {
      case 0:
        return { kind: 'value', bytes: value as Buffer, life: Number(number) };
      case 1:
        return { kind: 'none' };
      case 2:
        return { kind: 'lead' };
      case 3:
        return { kind: 'wait', life: Number(number) };
      default:
        return strange();
    }
  }

  /** Stores what was loaded under a lease. false: something has come in between, and it is not stored. */
  async land(key: string, token: string, bytes: Uint8Array, life: number): Promise<boolean> {
    const args = [token, this.channel, nameOf(key), bytes, whole(Math.min(life, LONGEST))];
    return Number(await this.#land(this.#keys(key), args)) === 1;
  }

  /** Gives a lease back; whoever waits hears `message`, which is empty where the source has nothing. */
  async release(key: string, token: string, message: string): Promise<void> {
    await this.#lease(this.#keys(key), [token, this.channel, nameOf(key), message, '0']);
  }

  /** Has a lease last for `life` milliseconds more. false: it is over. */
  async renew(key: string, token: string, life: number): Promise<boolean> {
    const args = [token, this.channel, nameOf(key), '', whole(life)];
    return Number(await this.#lease(this.#keys(key), args)) === 1;
  }

  async write(key: string, bytes: Uint8Array, life: number): Promise<void> {
    const args = [this.channel, nameOf(key), whole(Math.min(life, LONGEST)), bytes];
    await this.#write(this.#keys(key), args);
  }

  async delete(key: string): Promise<void> {
    await this.#write(this.#keys(key), [this.channel, nameOf(key), '0']);
  }

  /** Tells of changes. Resolves the position before, and that of these. */
  async tell(members: readonly string[]): Promise<[before: number, position: number]> {
    const args = [this.channel, whole(RETENTION), whole(LONGEST), whole(MOST_NEWS), ...members];
    const [before, position] = listOf(await this.#tell(this.#shared, args));
    return [Number(before), Number(position)];
  }

  /** @param latest the latest position that was heard of, in an epoch: 0 for none */
  async hear(since: number, latest: number, epoch: number): Promise<News> {
    const args = [since, latest, epoch, NEWS].map(whole);
    const [state, position, last, cleared, now, more, ...rest] = listOf(
      await this.#hear(this.#shared, args, true),
    );
    const known = STATES[Number(state)];
    if (known === undefined || Number.isNaN(Number(position))) return strange();
    const items = [];
    for (let place = 0; place < rest.length; place += 2) {
      items.push({ member: String(rest[place]), position: Number(rest[place + 1]) });
    }
    return {
      state: known,
      position: Number(position),
      last: Number(last),
      cleared: Number(cleared),
      epoch: Number(now),
      hasMore: Number(more) === 1,
      items,
    };
  }

  /** The positions at which tags were invalidated, 0 for never. */
  async invalidations(tags: readonly string[]): Promise<number[]> {
    const positions: number[] = [];
    for (let from = 0; from < tags.length; from += MANY) {
      const members = tags.slice(from, from + MANY).map(memberOfTag);
      positions.push(...listOf(await this.#tags([this.#shared[1]!], members)).map(Number));
    }
    return positions;
  }

  #keys(key: string): readonly string[] {
    const name = `${this.#prefix}{${nameOf(key)}}`;
    return [name, `${name}!`];
  }
}

const NOTHING = new Uint8Array(0);

export const memberOfKey = (key: string): string => `k${nameOf(key)}`;
export const memberOfTag = (tag: string): string => `t${nameOf(tag)}`;
export const ALL_MEMBER = 'a';

/** A key as UTF-8 has it: halves of surrogate pairs have no such form. */
export function nameOf(key: string): string {
  return key.isWellFormed() ? `=${key}` : `~${JSON.stringify(key)}`;
}

export function keyOf(name: string): string {
  return name.startsWith('~') ? (JSON.parse(name.slice(1)) as string) : name.slice(1);
}

/** In a slot of a Cluster that is being moved, some of a script's keys may be here and some there for a moment. */
function patient(call: Caller): Caller {
  return async (...how) => {
    for (let left = TRIES; ; left--) {
      try {
        return await call(...how);
      } catch (error) {
        if (left === 0 || !(error as Error).message.includes('TRYAGAIN')) throw error;
        await new Promise((resolve) => setTimeout(resolve, PAUSE));
      }
    }
  };
}

/** Milliseconds, or a position, as Redis takes it. */
function whole(value: number): string {
  return String(Math.min(Math.ceil(value), Number.MAX_SAFE_INTEGER));
}

function listOf(reply: RedisReply): RedisItem[] {
  if (Array.isArray(reply)) return reply;
  return strange();
}
