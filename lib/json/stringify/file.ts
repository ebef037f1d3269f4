import { Buffer } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import { type FileHandle, open, readlink, realpath, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Task } from '../tasks.js';
import type { Texts } from './texts.js';

/** Symbolic links that lead to a file that is not there, as many as Linux follows. */
const LINKS = 40;
/** UTF-8 bytes that one UTF-16 unit takes at most. */
const UNIT_BYTES = 3;
const FIRST_SCRATCH = 1 << 18;

/**
 * Writes texts to a file, which has its old content or all of the new one, whatever happens: they go to a new file
 * beside the target, which is flushed to the disk and takes the target's name at the end. Whoever reads the target
 * sees the old text or the new one, after a crash too. An error or an abort removes the new file; a killed process
 * leaves `.name.<random>.tmp`. An existing target keeps its permissions; a symbolic link stays, and what it points
 * to is replaced.
 *
 * Resolves, or rejects, once the new file is gone; when it does, `task` has settled.
 */
export async function writeFile(task: Task, texts: Texts, file: string): Promise<void> {
  try {
    await replace(task, texts, file);
    task.succeed(undefined);
  } catch (error) {
    task.fail(error);
  }
}

async function replace(task: Task, texts: Texts, file: string): Promise<void> {
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
      await write(handle, task, texts);
      await handle.datasync();
    } finally {
      texts.end();
      task.figures.mainTime.record(texts.spent);
      await handle.close();
    }
    if (task.settled) await rm(temporary, { force: true });
    else await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Through one piece of memory: a Buffer for each text would have V8 collect its whole heap meanwhile. */
async function write(handle: FileHandle, task: Task, texts: Texts): Promise<void> {
  let scratch = Buffer.allocUnsafeSlow(FIRST_SCRATCH);
  for (let text = await texts.take(); text !== undefined; text = await texts.take()) {
    if (text.length * UNIT_BYTES > scratch.length) scratch = Buffer.allocUnsafeSlow(text.length * UNIT_BYTES);
    const length = scratch.write(text);
    let written = 0;
    while (written < length) written += (await handle.write(scratch, written, length - written)).bytesWritten;
    task.figures.written += length;
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
