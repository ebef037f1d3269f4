import { setImmediate as turn } from 'node:timers/promises';

/**
 * Does `step` `operations` times, `atOnce` of them at a time, and resolves to the last result.
 *
 * No more than `perTurn` begin in one turn of the event loop, as when their input comes from as many sockets: what
 * does its work at once is then held up by one of them, not by all.
 */
export async function inFlight({ operations, atOnce, perTurn }, step) {
  let begun = 0;
  let last;
  let gate = Promise.resolve();
  const lane = async () => {
    while (begun < operations) {
      begun++;
      if (begun % perTurn === 0) {
        gate = gate.then(() => turn());
        await gate;
      }
      const given = step();
      // Who gives the result itself is not made to wait for a promise.
      last = given instanceof Promise ? await given : given;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return last;
}
