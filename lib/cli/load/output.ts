import { closeSync, existsSync, openSync, rmSync } from 'node:fs';
import { Stop } from '../command.js';

/** Refuses at once a file that could not be written after minutes of load. */
export function writable(flag: string, file: string): void {
  const isNew = !existsSync(file);
  try {
    closeSync(openSync(file, 'a'));
  } catch (error) {
    throw new Stop(2, `${flag} cannot be written: ${(error as Error).message}`);
  }
  if (isNew) rmSync(file);
}
