import { chmodSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** Replaces a file's contents at once: whoever reads it sees the old ones or the new ones, after a crash too. */
export function writeAtomic(file: string, contents: string | Buffer): void {
  const temporary = join(dirname(file), `.${basename(file)}.keelson-${process.pid}`);
  const mode = statSync(file, { throwIfNoEntry: false })?.mode;
  try {
    writeFileSync(temporary, contents, { flag: 'wx', flush: true });
    if (mode !== undefined) chmodSync(temporary, mode);
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}
