import {
  type ConnectionFactory,
  ConnectionPool,
  type ConnectionPoolEvents,
  type ConnectionPoolOptions,
} from 'keelson';

/** A connection that goes nowhere. */
export interface Connection {
  readonly n: number;
  open: boolean;
  alive: boolean;
  lent: boolean;
}

/** A factory of numbered connections, which are there at once, with parts of its own where a test gives some. */
export function scripted(parts: Partial<ConnectionFactory<Connection>> = {}) {
  const made: Connection[] = [];
  const make = (): Connection => {
    const connection = { n: made.length + 1, open: true, alive: true, lent: false };
    made.push(connection);
    return connection;
  };
  const destroy = async (connection: Connection): Promise<void> => {
    expect(connection.open).toBe(true);
    connection.open = false;
  };
  const factory: ConnectionFactory<Connection> = { create: async () => make(), destroy, ...parts };
  return {
    factory,
    /** All that were ever made, in their order. */
    made,
    make,
    /** The numbers of those that are open. */
    open: () => made.filter((connection) => connection.open).map((connection) => connection.n),
  };
}

const pools: ConnectionPool<any>[] = [];

/** A pool that is closed after the test. */
export function makePool<T>(
  factory: ConnectionFactory<T>,
  options: ConnectionPoolOptions = {},
): ConnectionPool<T> {
  const pool = new ConnectionPool(factory, { name: 'test', ...options });
  pools.push(pool);
  return pool;
}

/** Closes what the test has made, without waiting for it. */
export function closePools(): void {
  for (const pool of pools.splice(0)) void pool.close({ timeout: 0 });
}

/** What a pool has told so far: names of its events with what `show` makes of them. */
export function record<T>(pool: ConnectionPool<T>): [keyof ConnectionPoolEvents & string, any][] {
  const events: [keyof ConnectionPoolEvents & string, any][] = [];
  const names = ['open', 'close', 'openError', 'outage', 'recovered', 'leak', 'timeout', 'error'] as const;
  for (const name of names) pool.on(name, (payload) => events.push([name, payload]));
  return events;
}

/** Lets all run that promises have queued, on any clock. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

/** What a promise rejects with. */
export async function failure(promise: Promise<unknown>): Promise<any> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('It did not reject');
}

/** Lets each test of the file have fake timers, and closes its pools at its end. */
export function onFakeTimers(): void {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    closePools();
    jest.useRealTimers();
  });
}

/** Lets that much time pass, in milliseconds, and whatever waits for it go on. */
export const advance = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);
