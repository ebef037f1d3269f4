/**
 * Where two values that JSON.parse could have made differ, as a path and what is there, or undefined: by the numbers'
 * signs, own properties and their order, and prototypes too. It takes any depth.
 */
export function difference(got: unknown, wanted: unknown): string | undefined;
