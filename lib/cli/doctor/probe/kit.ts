import type { AnyFunction, Frame, Kit, Load } from './types.js';

/**
 * Makes what the parts share. Runs within the service, so that nothing of this module's scope is there. No part has Maps or
 * Sets of its own: they would be watched.
 */
export function makeKit(load: Load): Kit & { end(): string[]; unseen: string[]; spent(): number } {
  const { performance } = load('node:perf_hooks');
  const now = performance.now.bind(performance) as () => number;
  const made: { original: AnyFunction; ours: AnyFunction }[] = [];
  const steps: (() => void)[] = [];
  const unseen: string[] = [];
  const left: string[] = [];
  const began = now();
  let spentMs = 0;
  let inside = false;

  function callSites(below: AnyFunction): NodeJS.CallSite[] {
    const prepare = Object.getOwnPropertyDescriptor(Error, 'prepareStackTrace');
    const limit = Error.stackTraceLimit;
    try {
      Error.stackTraceLimit = 12;
      Error.prepareStackTrace = (_error, sites) => sites;
      const holder: { stack?: unknown } = {};
      Error.captureStackTrace(holder, below);
      return Array.isArray(holder.stack) ? holder.stack : [];
    } catch {
      return []; // Error is frozen.
    } finally {
      try {
        Error.stackTraceLimit = limit;
        if (prepare) Object.defineProperty(Error, 'prepareStackTrace', prepare);
        else Reflect.deleteProperty(Error, 'prepareStackTrace');
      } catch {
        // Frozen: nothing was changed.
      }
    }
  }

  const frameOf = (site: NodeJS.CallSite): Frame => ({
    name: site.getFunctionName() ?? '',
    file: site.getFileName() ?? '',
    line: site.getLineNumber() ?? 0,
    column: site.getColumnNumber() ?? 0,
  });

  const kit = {
    on: true,
    unseen,
    now,
    spent: () => spentMs,
    aside(work: () => void) {
      if (inside) return;
      inside = true;
      try {
        work();
      } catch {
        // The service's stack is full, or its own code, a getter say, has failed: then this is not seen.
      } finally {
        inside = false;
      }
    },
    stacks() {
      let mineMs = 0;
      return (below: AnyFunction) => {
        const start = now();
        // A look takes microseconds: 10 ms of them at once, and one hundredth of the time.
        if (mineMs > 10 + (start - began) / 100) return [];
        const frames = callSites(below).map(frameOf);
        const tookMs = now() - start;
        // What takes longer than that is the collector's or the scheduler's doing.
        mineMs += Math.min(tookMs, 0.5);
        spentMs += tookMs;
        // Of Node's own frames only those say something that are all there is.
        const own = frames.filter(({ file }) => file !== '' && !file.startsWith('node:'));
        return (own.length > 0 ? own : frames).slice(0, 5);
      };
    },
    replace(owner: object, name: string, make: (original: AnyFunction) => AnyFunction) {
      const descriptor = Object.getOwnPropertyDescriptor(owner, name);
      const original = descriptor?.value as AnyFunction;
      if (typeof original !== 'function') {
        unseen.push(name);
        return;
      }
      const ours = made.find((one) => one.original === original)?.ours ?? make(original);
      made.push({ original, ours });
      Object.defineProperties(ours, Object.getOwnPropertyDescriptors(original));
      if (!Reflect.defineProperty(owner, name, { ...descriptor, value: ours })) {
        unseen.push(name);
        return;
      }
      steps.push(() => {
        if (Object.getOwnPropertyDescriptor(owner, name)?.value !== ours) left.push(name);
        else Object.defineProperty(owner, name, descriptor!);
      });
    },
    undo(step: () => void) {
      steps.push(step);
    },
    end() {
      kit.on = false;
      while (steps.length > 0) steps.pop()!();
      return left;
    },
  };
  return kit;
}
