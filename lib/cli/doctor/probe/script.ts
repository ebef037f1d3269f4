import { watchCollections } from './collections.js';
import { install } from './install.js';
import { watchJson } from './json.js';
import { makeKit } from './kit.js';
import { watchTimers } from './timers.js';
import type { Probe, Settings } from './types.js';

const KEY = "Symbol.for('keelson.doctor')";

const PARTS = { makeKit, watchCollections, watchTimers, watchJson };

/** The text that begins to watch the thread that evaluates it. Nothing of it is read from a file there. */
export function installScript(settings: Settings): string {
  const parts = Object.entries(PARTS).map(([name, part]) => `${name}: ${part}`);
  return `(() => {
    'use strict';
    const load = (name) => process.getBuiltinModule?.(name) ?? require(name);
    return (${install})(${KEY}, load, ${JSON.stringify(settings)}, { ${parts.join(', ')} });
  })()
  //# sourceURL=keelson-doctor.js`;
}

/** The text that calls a function of the probe. Gives undefined where the probe is gone. */
export function callScript(name: keyof Probe, ...args: unknown[]): string {
  return `globalThis[${KEY}]?.${name}(${args.map((arg) => JSON.stringify(arg)).join(', ')})`;
}

/** The text of a function that gives its `this` to a function of the probe. */
export function takeScript(name: 'watch' | 'hidden', ...args: unknown[]): string {
  const all = ['this', ...args.map((arg) => JSON.stringify(arg))];
  return `function () { return globalThis[${KEY}]?.${name}(${all.join(', ')}); }`;
}
