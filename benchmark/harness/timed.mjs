/**
 * A contestant that is measured by the time of a fixed number of operations.
 *
 * The inner loop is our own. mitata and tinybench calibrate the number of operations for each contestant and
 * keep the loop to themselves, so contestants in different processes could not be interleaved, and would not do
 * the same work: here all of a round replay the same trace, and what they found in it must agree.
 *
 * @param {object} options
 * @param {number} options.operations how many operations `run` does
 * @param {(round: number) => unknown} [options.prepare] makes the round's input, outside the timed part
 * @param {(input: any) => unknown} options.run the timed loop; its result keeps the loop from being optimized away
 * @param {(result: any) => unknown} [options.check] what must be equal for all contestants of a round
 */
export function timed({ operations, prepare = () => undefined, run, check = (result) => result }) {
  return {
    async sample(round) {
      const input = prepare(round);
      // The garbage of making the input is not the contestant's.
      gc({ type: 'minor' });
      const start = process.hrtime.bigint();
      const result = await run(input);
      const elapsed = process.hrtime.bigint() - start;
      return { values: { time: Number(elapsed) / operations }, check: await check(result) };
    },
  };
}
