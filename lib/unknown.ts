const warned = new Set<string>();

/**
 * Warns, once a name and process, of names in an object of options that nobody reads: what an original ignored, its users may
 * have left there.
 */
export function warnOfUnknown(what: string, given: object, known: readonly string[]): void {
  for (const key of Object.keys(given)) {
    const name = `${what}.${key}`;
    if (known.includes(key) || warned.has(name)) continue;
    warned.add(name);
    process.emitWarning(`"${name}" is not known to keelson and has no effect`, 'KeelsonWarning');
  }
}
