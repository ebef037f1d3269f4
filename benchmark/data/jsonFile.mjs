// Documents of json.mjs in files. They are written by a process of their own, `jsonFile.mjs <kind> <bytes> <path>`,
// so that whoever reads them has not had them in its memory.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { root } from '../../scripts/lib.mjs';
import { jsonText } from './json.mjs';

/** Where files are kept from one run to the next, and where contestants may write theirs. */
export const FOLDER = join(root, '.cache', 'benchmark');

const GENERATOR = fileURLToPath(new URL('json.mjs', import.meta.url));

/** The path of a file with a document of `kind` of about `bytes` bytes, before it is compressed with gzip. */
export function jsonFile(kind, bytes, { gzip = false } = {}) {
  const version = createHash('sha1').update(readFileSync(GENERATOR)).digest('hex').slice(0, 8);
  const path = join(FOLDER, `${kind}-${bytes}-${version}.json${gzip ? '.gz' : ''}`);
  if (!existsSync(path)) {
    mkdirSync(FOLDER, { recursive: true });
    execFileSync(process.execPath, [import.meta.filename, kind, String(bytes), path]);
  }
  return path;
}

if (process.argv[1] === import.meta.filename) {
  const [kind, bytes, path] = process.argv.slice(2);
  const text = jsonText(kind, Number(bytes));
  writeFileSync(`${path}.part`, path.endsWith('.gz') ? gzipSync(text) : text);
  renameSync(`${path}.part`, path);
}
