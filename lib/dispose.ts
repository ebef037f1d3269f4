/** `Symbol.dispose`, which some realms on Node 20 lack, jest's among them: there Node's own registered symbol. */
export const dispose: typeof Symbol.dispose = Symbol.dispose ?? Symbol.for('nodejs.dispose');
/** Likewise `Symbol.asyncDispose`. */
export const asyncDispose: typeof Symbol.asyncDispose =
  Symbol.asyncDispose ?? Symbol.for('nodejs.asyncDispose');
