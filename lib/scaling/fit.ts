/** How fast a forecast follows. Each is from 0 to 1. */
export interface LoadForecastParameters {
  /** Of the level. */
  alpha: number;
  /** Of the trend. */
  beta: number;
  /** Of the season. */
  gamma: number;
  /** What is left of the trend from one interval to the next; 1 does not damp it. */
  phi: number;
}

/** Where nothing is known yet: the level follows within some intervals, the rest slowly. */
export const DEFAULTS: LoadForecastParameters = { alpha: 0.5, beta: 0.1, gamma: 0.2, phi: 0.95 };
type Point = readonly number[];
interface Try {
  readonly point: Point;
  readonly error: number;
}

/** Intervals that are gone through at most in all, which takes some tens of milliseconds, and forecasts that are tried. */
const MOST_STEPS = 1_500_000;
const [FEWEST_TRIES, MOST_TRIES] = [24, 160];
/** Where each parameter may be. A quiet past is not to make it deaf, and a trend that is not damped would run away in a gap. */
const BOUNDS: Record<keyof LoadForecastParameters, readonly [low: number, high: number]> = {
  alpha: [0.2, 0.99],
  beta: [0.02, 0.6],
  gamma: [0.001, 0.6],
  phi: [0.8, 0.98],
};
/** Of a parameter's bounds, how far the first tries of the search are from each other. */
const STRIDE = 0.15;

/**
 * The parameters with the least error: the best of a small grid, and from there Nelder and Mead's simplex ("A simplex method for
 * function minimization", 1965).
 *
 * @param names those that matter
 * @param length intervals that are gone through for one error
 */
export function fittest(
  names: readonly (keyof LoadForecastParameters)[],
  length: number,
  errorOf: (parameters: LoadForecastParameters) => number,
): LoadForecastParameters {
  const parametersOf = (point: Point): LoadForecastParameters => {
    const parameters = { ...DEFAULTS };
    for (const [index, name] of names.entries()) {
      const [low, high] = BOUNDS[name];
      parameters[name] = low + (high - low) * point[index]!;
    }
    return parameters;
  };
  let left = Math.min(MOST_TRIES, Math.max(FEWEST_TRIES, Math.floor(MOST_STEPS / length)));
  const attempt = (given: Point): Try => {
    left--;
    const point = given.map((one) => Math.min(1, Math.max(0, one)));
    return { point, error: errorOf(parametersOf(point)) };
  };
  const usual = (['alpha', 'beta', 'phi', 'gamma'] as const).map((name) => {
    const [low, high] = BOUNDS[name];
    return (DEFAULTS[name] - low) / (high - low);
  });
  const grid = [[], [0, 0], [0, 0.3], [0.4, 0.3], [0.7, 0], [0.7, 0.3], [1, 0], [1, 0.3]];
  const [first, ...others] = grid.map((place) => [...place, ...usual.slice(place.length)]);
  // Where all are as good, as of a load that never changes, the usual ones are.
  const simplex = [
    others.map((point) => attempt(point.slice(0, names.length))).reduce(better, attempt(first!)),
  ];
  for (const index of names.keys()) {
    const { point } = simplex[0]!;
    const stride = point[index]! + STRIDE > 1 ? -STRIDE : STRIDE;
    simplex.push(attempt(point.map((one, place) => (place === index ? one + stride : one))));
  }
  while (left > names.length + 1) move(simplex, attempt);
  return parametersOf(simplex.reduce(better).point);
}

const better = (one: Try, other: Try): Try => (other.error < one.error ? other : one);

/** One step of the simplex: its worst corner goes through the middle of the others, or all draw nearer to the best. */
function move(simplex: Try[], attempt: (point: Point) => Try): void {
  simplex.sort((one, other) => one.error - other.error);
  const worst = simplex.pop()!;
  const best = simplex[0]!;
  const middle = worst.point.map(
    (_, index) => simplex.reduce((sum, { point }) => sum + point[index]!, 0) / simplex.length,
  );
  const along = (by: number): Try =>
    attempt(middle.map((one, index) => one + by * (one - worst.point[index]!)));
  const reflected = along(1);
  if (reflected.error < best.error) {
    simplex.push(better(reflected, along(2)));
  } else if (reflected.error < simplex[simplex.length - 1]!.error) {
    simplex.push(reflected);
  } else {
    const contracted = along(reflected.error < worst.error ? 0.5 : -0.5);
    simplex.push(worst);
    if (contracted.error < Math.min(reflected.error, worst.error)) simplex[simplex.length - 1] = contracted;
    else
      for (const [corner, { point }] of simplex.entries())
        if (corner > 0) simplex[corner] = attempt(point.map((one, index) => (one + best.point[index]!) / 2));
  }
}
