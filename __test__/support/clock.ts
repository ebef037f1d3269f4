/** A clock that tests advance by hand, in milliseconds. */
export function manual(start = 1_000_000) {
  let now = start;
  return {
    clock: () => now,
    advance: (ms: number) => {
      now += ms;
    },
  };
}
