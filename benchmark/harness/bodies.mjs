import { createHash } from 'node:crypto';
import { KB } from '../data/json.mjs';
import { inFlight } from './inFlight.mjs';
import { observe } from './mainThread.mjs';

/** What the small ones that begin in one turn of the event loop amount to. */
const TURN = 100 * KB;

/** What JSON works on, and how often in a sample: about as much time for each size. */
export const SIZES = {
  '1KB': { bytes: KB, operations: 20_000, rounds: 9 },
  '100KB': { bytes: 100 * KB, operations: 200, rounds: 3 },
  '1MB': { bytes: 1024 * KB, operations: 32, rounds: 3 },
  '10MB': { bytes: 10 * 1024 * KB, operations: 4, rounds: 3 },
  '100MB': { bytes: 100 * 1024 * KB, operations: 1, rounds: 3 },
};

/** How many times fewer operations they do in a sample, which would take minutes otherwise. */
const PATIENCE = { 'yieldable-json': 100, 'stream-json': 20 };

export const digest = (text) => createHash('sha1').update(text).digest('hex');

/** The metrics of `observed`. */
export function costs({ bytes, asked = {} }) {
  const metrics = {
    'main thread': { unit: 'ms CPU/op', better: 'lower', asked: asked.main },
    'all threads': { unit: 'ms CPU/op', better: 'lower' },
    wall: { unit: 'ms/op', better: 'lower', asked: asked.wall },
    'longest delay': { unit: 'ms', better: 'lower', asked: asked.delay },
  };
  // What a small one takes is far below a turn of the event loop.
  if (bytes < TURN) {
    delete metrics['longest delay'];
  }
  return metrics;
}

export const costNotes = [
  "`main thread` is that thread's processor time, its garbage collection included, and `all threads` that of the whole process. `longest delay` is the longest that the event loop was held up, by monitorEventLoopDelay() with a resolution of 1 ms, over all operations of a sample.",
];

/**
 * A contestant that does `step`, `atOnce` at a time, and is measured by what each costs.
 *
 * @param {object} options
 * @param {string} options.contestant
 * @param {number} options.bytes of what one step works on
 * @param {number} options.operations how many steps a sample has, for those who are fast
 * @param {number} [options.atOnce]
 * @param {() => unknown} options.step
 * @param {(result: any) => unknown} options.check what must be equal for all, of the last result
 */
export function observed({ contestant, bytes, operations, atOnce = 1, step, check }) {
  const count = Math.max(atOnce, Math.ceil(operations / (PATIENCE[contestant] ?? 1)));
  const load = { operations: count, atOnce, perTurn: Math.max(1, Math.floor(TURN / bytes)) };
  return {
    async sample() {
      const { cost, result } = await observe(() => inFlight(load, step));
      return {
        values: {
          'main thread': cost.main / count,
          'all threads': cost.all / count,
          wall: cost.wall / count,
          'longest delay': cost.delay,
        },
        check: check(result),
      };
    },
  };
}
