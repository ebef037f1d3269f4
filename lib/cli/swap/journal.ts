import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, isAbsolute, join, posix, relative, sep } from 'node:path';
import { Stop } from '../command.js';
import { writeAtomic } from './atomic.js';
import { LOCK_FILES } from './manager.js';

const FOLDER = '.keelson-swap';

interface Entry {
  /** Relative to the project, with `/`. */
  path: string;
  /** The file in the folder that has the original's bytes; null where there was no file. */
  original: string | null;
  /** Digest of what the swap left there; null while it is under way. */
  after: string | null;
}

/**
 * The originals of swapped files, kept in `.keelson-swap/` of the project, so that they come back byte for byte with git
 * and without. A second swap adds to the first: what comes back is what was there before both.
 */
export class Journal {
  readonly #folder: string;
  #entries: Entry[];

  constructor(private readonly root: string) {
    this.#folder = join(root, FOLDER);
    this.#entries = this.#read();
  }

  get paths(): string[] {
    return this.#entries.map(({ path }) => path);
  }

  /** Whether a swap began and did not end: what it left cannot be told from what was written since. */
  get interrupted(): boolean {
    return this.#entries.some(({ after }) => after === null);
  }

  /** Keeps files, by absolute paths, before anything is written. Some may not exist yet. */
  keep(files: readonly string[]): void {
    mkdirSync(this.#folder, { recursive: true });
    // The folder is nobody's to commit.
    writeFileSync(join(this.#folder, '.gitignore'), '*\n');
    for (const file of files) {
      const path = relative(this.root, file).split(sep).join('/');
      const earlier = this.#entries.find((entry) => entry.path === path);
      const isOurs = earlier !== undefined && earlier.after === digestOf(file);
      if (!isOurs)
        this.#entries = [...this.#entries.filter((entry) => entry !== earlier), this.#copy(path, file)];
    }
    for (const entry of this.#entries) {
      if (files.includes(this.#file(entry))) entry.after = null;
    }
    this.#write();
  }

  /** Notes what the swap left, to tell later changes from its own. */
  finish(): void {
    for (const entry of this.#entries) entry.after ??= digestOf(this.#file(entry));
    this.#write();
  }

  /** Files that were changed after the swap: undoing it would lose that. */
  changedSince(): string[] {
    const changed = this.#entries.filter(
      (entry) => entry.after !== null && entry.after !== digestOf(this.#file(entry)),
    );
    return changed.map(({ path }) => path);
  }

  /** Puts every original back, and forgets them. */
  undo(): void {
    for (const entry of this.#entries) {
      const file = this.#file(entry);
      if (entry.original === null) rmSync(file, { force: true });
      else {
        mkdirSync(dirname(file), { recursive: true });
        writeAtomic(file, readFileSync(join(this.#folder, entry.original)));
      }
    }
    rmSync(this.#folder, { recursive: true, force: true });
    this.#entries = [];
  }

  #file({ path }: Entry): string {
    return join(this.root, path);
  }

  #copy(path: string, file: string): Entry {
    if (!existsSync(file)) return { path, original: null, after: null };
    const bytes = readFileSync(file);
    const original = `${createHash('sha256').update(path).update(bytes).digest('hex').slice(0, 32)}.original`;
    writeFileSync(join(this.#folder, original), bytes);
    return { path, original, after: null };
  }

  #read(): Entry[] {
    const file = join(this.#folder, 'journal.json');
    if (!existsSync(file)) return [];
    const wrong = new Stop(
      3,
      `${file} is damaged: put the originals beside it back by hand, then remove the folder`,
    );
    try {
      const { entries } = JSON.parse(readFileSync(file, 'utf8')) as { entries: Entry[] };
      if (entries.every((entry) => this.#isSafe(entry))) return entries;
    } catch {
      throw wrong;
    }
    throw wrong;
  }

  /** A folder that came with a project must not write elsewhere: only lock files lie above one. */
  #isSafe({ path, original }: Entry): boolean {
    const inside = !path.split('/').includes('..') && !isAbsolute(path);
    const isLock = LOCK_FILES.has(posix.basename(path)) && /^(?:\.\.\/)+[^/]+$/.test(path);
    return (inside || isLock) && (original === null || /^[\da-f]+\.original$/.test(original));
  }

  #write(): void {
    writeAtomic(
      join(this.#folder, 'journal.json'),
      `${JSON.stringify({ entries: this.#entries }, null, 2)}\n`,
    );
  }
}

/** `absent` for a file that is not there. */
function digestOf(file: string): string {
  return existsSync(file) ? createHash('sha256').update(readFileSync(file)).digest('hex') : 'absent';
}
