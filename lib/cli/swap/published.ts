import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { shapeByScan } from './scan.js';

/** The names that keelson exports. */
export interface Published {
  values: ReadonlySet<string>;
  types: ReadonlySet<string>;
}

/** Read from the typings that this very version publishes: a list kept by hand would fall behind. */
export function published(): Published {
  const { exports } = shapeByScan(readFileSync(join(__dirname, '..', '..', 'index.d.ts'), 'utf8'));
  const names = (types: boolean) =>
    new Set(exports.filter(({ kind }) => (kind === 'type') === types).map(({ name }) => name));
  return { values: names(false), types: names(true) };
}
