import { DriverMissingError } from '../../errors.js';

/** What a client's loader does, with an error that says what to install. */
export function loaded<T>(driver: string, packages: string, load: () => unknown): T {
  try {
    return load() as T;
  } catch (cause) {
    throw new DriverMissingError(driver, packages, { cause });
  }
}
