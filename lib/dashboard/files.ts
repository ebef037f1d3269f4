import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';

/** A file of the page. */
export interface PageFile {
  readonly type: string;
  readonly content: Buffer;
}

/** What the page consists of. */
export const PAGE = 'index.html';
const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
};

let files: ReadonlyMap<string, PageFile> | undefined;

/** A file by its name; all of them are read when somebody first asks, and are few and small. */
export function fileOf(name: string): PageFile | undefined {
  files ??= readAll(join(__dirname, 'page'));
  return files.get(name);
}

function readAll(folder: string): Map<string, PageFile> {
  const found = new Map<string, PageFile>();
  for (const name of readdirSync(folder)) {
    const type = TYPES[extname(name)];
    if (type !== undefined) found.set(name, { type, content: readFileSync(join(folder, name)) });
  }
  return found;
}
