import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { RedisLink } from '../../dist/redis/link';
import { type RedisOptions, redisSpec } from '../../dist/redis/options';
import {
  ClientSubscription,
  RedisSubscription,
  type Subscription,
  type SubscriptionListener,
} from '../../dist/redis/subscription';
import { eventually } from './server';
import type { RedisServer } from './servers';

/** What came of a channel, in order: messages as text, and the names of what else is told. */
export class Heard implements SubscriptionListener {
  readonly events: string[] = [];
  readonly payloads: Buffer[] = [];
  readonly errors: any[] = [];

  message(payload: Buffer): void {
    this.payloads.push(payload);
    this.events.push(payload.length > 100 ? 'long' : payload.toString());
  }

  subscribed(): void {
    this.events.push('subscribed');
  }

  lost(error: unknown): void {
    this.errors.push(error);
    this.events.push('lost');
  }

  /** How often something was told. */
  count(event: string): number {
    return this.events.filter((one) => one === event).length;
  }

  /** Resolves once it was told so often in all. */
  until(event: string, times = 1): Promise<void> {
    return eventually(() => this.count(event) >= times);
  }
}

/** What ends what a test has opened. */
const ends: (() => unknown)[] = [];

export const atEnd = (end: () => unknown): void => void ends.push(end);

/** Closes after each test what it has opened. */
export function endAll(): void {
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
  });
}

/** A subscription that the test's end closes. */
export function kept<S extends Subscription>(subscription: S): S {
  atEnd(() => subscription.close());
  return subscription;
}

/** A link that the test's end closes. */
export function openLink(options: RedisOptions): RedisLink {
  const link = RedisLink.open(redisSpec(options));
  atEnd(() => link.close());
  return link;
}

type Listen = (channel: string, listener: SubscriptionListener) => Subscription;

/** A service's client of ioredis, as its library makes it by default. */
export function ioredis({ host, port, ...others }: RedisOptions): Redis {
  const client = new Redis({ host: host!, port: port!, ...others } as object);
  client.on('error', () => {});
  atEnd(() => client.disconnect());
  return client;
}

/** Likewise of node-redis; it goes on connecting in the background. */
export function nodeRedis({ host, port, ...others }: RedisOptions) {
  const client = createClient({ socket: { host: host!, port: port! }, ...others } as object);
  client.on('error', () => {});
  atEnd(() => client.destroy());
  client.connect().catch(() => {});
  return client;
}

/** The ways to listen. */
export const WAYS: Record<string, (options: RedisOptions) => Listen> = {
  'a link': (options) => {
    const link = openLink(options);
    return (channel, listener) => kept(new RedisSubscription(link, channel, listener));
  },
  ioredis: (options) => {
    const client = ioredis(options);
    return (channel, listener) => kept(new ClientSubscription(client, channel, listener));
  },
  'node-redis': (options) => {
    const client = nodeRedis(options);
    return (channel, listener) => kept(new ClientSubscription(client, channel, listener));
  },
};

/** How many connections to a server listen to a channel. */
export async function listeners(server: RedisServer): Promise<number> {
  const list: string = await server.command('CLIENT', 'LIST', 'TYPE', 'PUBSUB');
  return list.split('\n').filter((line) => line !== '').length;
}
