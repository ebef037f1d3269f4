import type { watchCollections } from './collections.js';
import type { watchJson } from './json.js';
import type { makeKit } from './kit.js';
import type { watchTimers } from './timers.js';
import type { Load, Notes, Probe, Settings } from './types.js';

export interface Parts {
  makeKit: typeof makeKit;
  watchCollections: typeof watchCollections;
  watchTimers: typeof watchTimers;
  watchJson: typeof watchJson;
}

/**
 * Begins to watch a thread; false where another doctor does. Runs within the service, so that nothing of this module's
 * scope is there. Ends by finish(), or by itself when samples stay out: the doctor may have been killed.
 */
export function install(key: symbol, load: Load, settings: Settings, parts: Parts): boolean {
  const scope = globalThis as unknown as Record<symbol, Probe | undefined>;
  if (scope[key] !== undefined) return false;
  const kit = parts.makeKit(load);
  let left: string[] = [];
  let heard = kit.now();
  let { leaseMs } = settings;

  const end = () => {
    if (kit.on) left = kit.end();
    Reflect.deleteProperty(scope, key);
    clearInterval(lease);
    // Not at once: the answer of what ends it has to be on its way.
    if (settings.closeInspector) setImmediate(() => load('node:inspector').close());
  };
  // The module's own: the global one may be a test's clock.
  const lease = load('node:timers').setInterval(() => {
    if (kit.now() - heard > leaseMs) end();
  }, leaseMs / 4);
  lease.unref();

  try {
    begin();
  } catch (error) {
    end();
    throw error;
  }
  return true;

  function begin(): void {
    const collections = parts.watchCollections(kit, settings.minSize);
    const timers = parts.watchTimers(kit, load);
    const json = parts.watchJson(kit, settings.jsonMs);

    const probe: Probe = {
      sample() {
        heard = kit.now();
        return {
          collections: collections.sizes(),
          timers: timers.live(),
          active: timers.active(),
          activeSeen: timers.activeSeen(),
        };
      },
      finish(): Notes {
        heard = kit.now();
        if (kit.on) left = kit.end();
        leaseMs = settings.closeMs;
        return {
          collections: collections.notes(),
          timers: timers.notes(),
          json: json.notes(),
          unseen: kit.unseen,
          left,
          spentMs: kit.spent(),
        };
      },
      held: collections.held,
      pick: collections.pick,
      close: end,
      watch(found, kind) {
        heard = kit.now();
        collections.watch(found, kind);
      },
      hidden: timers.hidden,
    };
    Object.defineProperty(scope, key, { value: probe, configurable: true });
  }
}
