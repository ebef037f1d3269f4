import type { AnyFunction, Frame, Kit, Load, TimerNote } from './types.js';

/** Watches which code makes timers, and how many of them live. Runs within the service, without this module's scope. */
export function watchTimers(kit: Kit, load: Load) {
  type Handle = NodeJS.Timeout & { _destroyed: boolean; _idleTimeout: number };
  interface Site extends Omit<TimerNote, 'live'> {
    handles: Handle[];
    /** How many handles are kept until those that have ended are let go. */
    room: number;
  }
  const { apply } = Reflect;
  const stack = kit.stacks();
  const sites: Record<string, Site> = Object.create(null);
  let last = 0;
  const { AsyncResource } = load('node:async_hooks');
  const newest = new AsyncResource('keelson-doctor').asyncId() as number;

  /** Node numbers its timers in the order in which they are made. */
  function isNew(timer: object): boolean {
    const symbol = Object.getOwnPropertySymbols(timer).find(({ description }) => description === 'asyncId');
    return symbol === undefined || (timer as Record<symbol, number>)[symbol]! > newest;
  }

  const prune = (site: Site) => {
    site.handles = site.handles.filter((handle) => !handle._destroyed);
    site.room = site.handles.length * 2 + 1000;
  };

  function siteOf(kind: TimerNote['kind'], frames: Frame[]): Site {
    const [top] = frames;
    const key = `${kind} ${top ? `${top.file}:${top.line}:${top.column}` : ''}`;
    sites[key] ??= {
      id: ++last,
      kind,
      frames,
      created: 0,
      minDelay: Number.POSITIVE_INFINITY,
      maxDelay: 0,
      handles: [],
      room: 1000,
    };
    return sites[key];
  }

  function made(handle: Handle, kind: TimerNote['kind'], below: AnyFunction): void {
    const site = siteOf(kind, stack(below));
    site.created++;
    site.minDelay = Math.min(site.minDelay, handle._idleTimeout);
    site.maxDelay = Math.max(site.maxDelay, handle._idleTimeout);
    site.handles.push(handle);
    if (site.handles.length > site.room) prune(site);
  }

  function watch(owner: object, kind: TimerNote['kind']): void {
    kit.replace(owner, kind, (original) => {
      function ours(this: unknown, ...args: unknown[]): unknown {
        const handle = apply(original, this, args) as Handle;
        // Clocks of tests give handles of their own.
        if (!kit.on || typeof handle?._destroyed !== 'boolean') return handle;
        kit.aside(() => made(handle, kind, ours));
        return handle;
      }
      return ours;
    });
  }

  const timers = load('node:timers');
  const { syncBuiltinESMExports } = load('node:module');
  // Undone last: ES modules that import from node:timers by name see what it exports when told to.
  kit.undo(() => syncBuiltinESMExports());
  for (const kind of ['setTimeout', 'setInterval'] as const) {
    watch(globalThis, kind);
    watch(timers, kind);
  }
  syncBuiltinESMExports();

  return {
    live(): [number, number][] {
      return Object.values(sites).map((site) => {
        prune(site);
        return [site.id, site.handles.length];
      });
    },
    activeSeen(): number {
      let count = 0;
      for (const { handles } of Object.values(sites))
        for (const handle of handles) if (handle.hasRef()) count++;
      return count;
    },
    active(): number {
      let count = 0;
      for (const kind of process.getActiveResourcesInfo()) if (kind === 'Timeout') count++;
      return count;
    },
    /** Groups new and active timers that were not seen to be made by the text of what they call, after the end. */
    hidden(found: object[]) {
      const groups: Record<string, { callback: unknown; count: number; interval: boolean }> =
        Object.create(null);
      const seen = new Set<object>(Object.values(sites).flatMap(({ handles }) => handles));
      for (const timer of found as (Handle & { _onTimeout: unknown; _repeat: unknown })[]) {
        const { _onTimeout: callback, _repeat } = timer;
        if (seen.has(timer) || timer._destroyed || !timer.hasRef() || !isNew(timer)) continue;
        if (typeof callback !== 'function') continue;
        const key = `${_repeat !== null} ${callback}`;
        groups[key] ??= { callback, count: 0, interval: _repeat !== null };
        groups[key].count++;
      }
      return Object.values(groups)
        .sort((a, b) => b.count - a.count)
        .slice(0, 3);
    },
    notes: (): TimerNote[] =>
      Object.values(sites).map(({ handles, room: _, ...site }) => ({ ...site, live: handles.length })),
  };
}
