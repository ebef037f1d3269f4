/** Chris Doty-Humphrey's sfc32, as floats in [0, 1) of the full 53 bits. Seeded, so that a trace can be repeated. */
export function random(seed) {
  let a = 0x9e3779b9;
  let b = 0x243f6a88;
  let c = seed | 0;
  let counter = 1;
  const next = () => {
    const result = (a + b + counter++) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + result;
    return result >>> 0;
  };
  for (let i = 0; i < 16; i++) {
    next();
  }
  return () => (next() * 2 ** 21 + (next() >>> 11)) / 2 ** 53;
}

/**
 * Ranks 0 to `size - 1` drawn with probability proportional to `1 / (rank + 1) ** exponent`. Exact, not the usual
 * approximation by inverting the integral: rejection-inversion by W. Hörmann and G. Derflinger, "Rejection-inversion
 * to generate variates from monotone discrete distributions", ACM TOMACS 6(3), 1996.
 */
export function zipf(size, exponent, seed) {
  const uniform = random(seed);
  const power = 1 - exponent;
  const density = (x) => x ** -exponent;
  // The integral of the density and its inverse, through expm1 and log1p, which stay accurate at exponents near 1.
  const integral = (x) => Math.expm1(power * Math.log(x)) / power;
  const inverse = (y) => Math.exp(Math.log1p(power * y) / power);
  const low = integral(1.5) - 1;
  const high = integral(size + 0.5);
  // Within this distance of k the hat lies below the step for every k: accepted without looking at the density.
  const shortcut = 2 - inverse(integral(2.5) - density(2));
  return () => {
    for (;;) {
      const u = high + uniform() * (low - high);
      const x = inverse(u);
      const k = Math.min(size, Math.max(1, Math.round(x)));
      if (k - x <= shortcut || u >= integral(k + 0.5) - density(k)) {
        return k - 1;
      }
    }
  };
}

/** The ranks of a trace, drawn ahead, so that drawing is not in the timed part. */
export function zipfTrace(length, { size, exponent, seed }) {
  const next = zipf(size, exponent, seed);
  return Uint32Array.from({ length }, next);
}
