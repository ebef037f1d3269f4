import type { Entry } from './graph.js';

/**
 * Calls `start` of those that have one and did not start yet, each once what it depends on has started, many at once.
 * Resolves when all have; if one fails, which leaves out what depends on it, that is thrown once the others are through.
 */
export async function startAll(entries: ReadonlyMap<string, Entry>, signal: AbortSignal): Promise<void> {
  const begun = new Map<Entry, Promise<void>>();
  const begin = (entry: Entry): Promise<void> => {
    let start = begun.get(entry);
    if (start === undefined) {
      start = startOne(entry);
      begun.set(entry, start);
    }
    return start;
  };
  const startOne = async (entry: Entry): Promise<void> => {
    const needed = entry.dependsOn.map((name) => entries.get(name)).filter((one) => one !== undefined);
    await Promise.all(needed.map(begin));
    if (entry.start === undefined || entry.isStarted) return;
    signal.throwIfAborted();
    entry.starting = call(entry, signal);
    try {
      await entry.starting;
      entry.isStarted = true;
    } finally {
      entry.starting = undefined;
    }
  };
  const outcomes = await Promise.allSettled([...entries.values()].map(begin));
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}

async function call(entry: Entry, signal: AbortSignal): Promise<void> {
  await entry.start!({ signal });
}
