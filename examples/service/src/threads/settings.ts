import { availableParallelism } from 'node:os';
import { type DatabaseSettings, isInMemory } from '../database/settings';

const MAX_THREADS = 64;

/**
 * Reads how many threads answer requests; 0 and `auto` are as many as the machine runs at once.
 * @throws {RangeError} for anything else
 */
export function readThreads(text: string): number {
  const value = text === 'auto' ? 0 : /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN;
  if (value <= MAX_THREADS) return value || availableParallelism();
  throw new RangeError(
    `THREADS must be a whole number from 0 to ${MAX_THREADS}, or "auto", but it is ${JSON.stringify(text)}`,
  );
}

/** @throws {RangeError} if so many threads cannot be one service here */
export function requireShareable(threads: number, database: DatabaseSettings, platform: string): void {
  if (threads === 1) return;
  if (platform === 'win32')
    throw new RangeError('THREADS must be 1 on Windows, where threads cannot share a listening socket');
  if (isInMemory(database))
    throw new RangeError(
      `THREADS=${threads} needs a DATABASE_URL, such as sqlite:catalogue.db: in memory each thread would have a catalogue of its own`,
    );
}
