import { Buffer } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import { type FileHandle, open, readlink, realpath, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { string } from '../../validate.js';
import { check, type Host, type WriteOptions } from './options.js';
import { textsOf } from './stringify.js';

/** Symbolic links that lead to a file that is not there, as many as Linux follows. */
const LINKS = 40;
/** UTF-8 bytes that one UTF-16 unit takes at most. */
const UNIT_BYTES = 3;
const FIRST_SCRATCH = 1 << 18;

/**
 * Writes a value's JSON to a file, in slices as {@link stringify}, and without the whole text in memory.
 *
 * The text goes to a new file beside the target, is flushed to the disk, and takes the target's name at the end:
 * whoever reads the target sees the old text or the new one, after a crash too. An error or an abort removes the
 * new file and leaves the target as it was; a killed process leaves `.name.<random>.tmp`. An existing target keeps
 * its permissions; a symbolic link stays, and what it points to is replaced.
 *
 * @throws what stringify throws, InvalidArgumentError for a value without JSON, and errors of the file system
 */
export async function stringifyToFile(
  value: unknown,
  file: string,
  options?: WriteOptions,
  host?: Host,
): Promise<void> {
  const checked = check('stringifyToFile()', options, false, host);
  string('path', file);
  checked.limits.check();
  // Now, and not after the first wait: a snapshot is of the call.
  const texts = textsOf(value, checked);
  const target = await resolveLinks(file);
  const temporary = path.join(
    path.dirname(target),
    `.${path.basename(target)}.${randomBytes(8).toString('hex')}.tmp`,
  );
  const mode = await modeOf(target);
  const handle = await open(temporary, 'wx', mode);
  try {
    try {
      // The process's umask took bits off.
      if (mode !== undefined) await handle.chmod(mode);
      await write(handle, () => texts.take());
      await handle.datasync();
    } finally {
      texts.end();
      await handle.close();
    }
    checked.limits.check();
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Through one piece of memory: a Buffer for each text would have V8 collect its whole heap meanwhile. */
async function write(handle: FileHandle, take: () => Promise<string | undefined>): Promise<void> {
  let scratch = Buffer.allocUnsafeSlow(FIRST_SCRATCH);
  for (let text = await take(); text !== undefined; text = await take()) {
    if (text.length * UNIT_BYTES > scratch.length) scratch = Buffer.allocUnsafeSlow(text.length * UNIT_BYTES);
    const length = scratch.write(text);
    let written = 0;
    while (written < length) written += (await handle.write(scratch, written, length - written)).bytesWritten;
  }
}

/** The file that a path means, whether it is there or not. */
async function resolveLinks(file: string): Promise<string> {
  let resolved = path.resolve(file);
  for (let link = 0; link < LINKS; link++) {
    try {
      return await realpath(resolved);
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
    try {
      resolved = path.resolve(path.dirname(resolved), await readlink(resolved));
    } catch {
      break;
    }
  }
  return resolved;
}

async function modeOf(file: string): Promise<number | undefined> {
  try {
    return (await stat(file)).mode & 0o7777;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}
