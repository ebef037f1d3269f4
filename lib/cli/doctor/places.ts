import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Frame } from './probe/types.js';

/** A place in the service's sources, as it is shown. */
export interface Place {
  /** The function, as V8 names it; empty at the top level of a module and in functions without a name. */
  name: string;
  file: string;
  line: number;
  column: number;
  /** The line itself, where the file is there to be read. */
  source: string | undefined;
}

const LONGEST = 120;

/** Finds the original places of frames by the source maps beside the files, if this machine has them. */
export class Places {
  readonly #folder: string;
  readonly #texts = new Map<string, string[] | undefined>();
  readonly #maps = new Map<string, SourceMap | undefined>();

  /** Paths are shown as seen from `folder`. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  of(frame: Frame): Place {
    const path = frame.file.startsWith('file:') ? fileURLToPath(frame.file) : frame.file;
    return isAbsolute(path) ? this.#original(path, frame) : { ...frame, file: path, source: undefined };
  }

  #original(path: string, { name, line, column }: Frame): Place {
    const entry = this.#mapOf(path)?.findEntry(line - 1, column - 1);
    if (entry === undefined || !('originalSource' in entry)) return this.#place(path, name, line, column);
    const { originalSource, originalLine, originalColumn } = entry;
    const source = originalSource.startsWith('file:') ? fileURLToPath(originalSource) : originalSource;
    return this.#place(resolve(dirname(path), source), name, originalLine + 1, originalColumn + 1);
  }

  #place(path: string, name: string, line: number, column: number): Place {
    const inside = relative(this.#folder, path);
    const file = inside.startsWith(`..${sep}`) || isAbsolute(inside) ? path : inside;
    const source = this.#linesOf(path)?.[line - 1]?.trim().slice(0, LONGEST);
    return { name, file, line, column, source };
  }

  #linesOf(path: string): string[] | undefined {
    if (!this.#texts.has(path)) this.#texts.set(path, textOf(path)?.split(/\r?\n/));
    return this.#texts.get(path);
  }

  #mapOf(path: string): SourceMap | undefined {
    if (!this.#maps.has(path)) this.#maps.set(path, this.#readMap(path));
    return this.#maps.get(path);
  }

  #readMap(path: string): SourceMap | undefined {
    const line = this.#linesOf(path)?.findLast((text) => /^\/\/[#@] sourceMappingURL=/.test(text));
    const url = line?.slice(line.indexOf('=') + 1).trim();
    if (!url) return undefined;
    const text = /^data:/.test(url) ? dataOf(url) : textOf(join(dirname(path), decodeURIComponent(url)));
    try {
      const payload = JSON.parse(text ?? '') as ConstructorParameters<typeof SourceMap>[0];
      const { sources, sourceRoot } = payload;
      // Node leaves the root to whoever reads the map.
      return new SourceMap({ ...payload, sources: sources.map((source) => join(sourceRoot ?? '', source)) });
    } catch {
      return undefined; // A map that cannot be read is as none.
    }
  }
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function dataOf(url: string): string {
  const [head = '', data = ''] = url.split(/,(.*)/s);
  return head.endsWith(';base64') ? Buffer.from(data, 'base64').toString() : decodeURIComponent(data);
}
