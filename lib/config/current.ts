import { getEnvironmentData, isMainThread, setEnvironmentData, threadId } from 'node:worker_threads';
import { ConfigurationError } from '../errors.js';
import { lookUp, problemsOf, type Sources } from './lookup.js';
import type { SettingPath, SettingValue } from './schema.js';

/** Under which name workers find what the thread that started them had configured. */
const KEY = 'keelson:configuration';

interface Handed {
  /** Who configured it. */
  readonly thread: number;
  readonly entries: [path: string, value: unknown][];
}

let configured: ReadonlyMap<string, unknown> | undefined;

function inherited(): ReadonlyMap<string, unknown> {
  const handed = isMainThread ? undefined : (getEnvironmentData(KEY) as unknown as Handed | undefined);
  // What this thread handed on itself is of another copy of keelson, or of another test file.
  return new Map(handed === undefined || handed.thread === threadId ? [] : handed.entries);
}

/** Where this thread's settings are looked up. Nothing is read before somebody asks. */
export function sources(): Sources {
  configured ??= inherited();
  return { configured, environment: process.env };
}

/** Takes what is configured, by path and checked, for this thread and those that it starts from now on. */
export function take(values: ReadonlyMap<string, unknown>): void {
  configured = values;
  const handed: Handed = { thread: threadId, entries: [...values] };
  setEnvironmentData(KEY, handed as unknown as Parameters<typeof setEnvironmentData>[1]);
}

/**
 * The default of an option, asked for when an instance is made that does not say itself.
 *
 * @throws ConfigurationError for an environment variable that says nothing of use: it tells of all of them
 */
export function setting<Path extends SettingPath>(path: Path): SettingValue<Path> {
  const found = lookUp(path, sources());
  if ('accepted' in found) throw new ConfigurationError(problemsOf(process.env));
  return found.value as SettingValue<Path>;
}
