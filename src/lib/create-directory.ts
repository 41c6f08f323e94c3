/** Creates a directory with its files in one step: it appears under its name only when it is whole, and only once. */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isCode, syncDirectory, writeDurably } from './files.ts';

const stagingPrefix = '.staging-';
const staleAfterMs = 60 * 60 * 1000; // the writer of a staging directory this old is gone

/** A new name for a directory that is being written or removed; `removeStale` clears away what is left under such names. */
export const stagingName = () => `${stagingPrefix}${randomUUID()}`;

/**
 * Creates `parent/name` with `files` (name → bytes), and `parent` if need be. Returns false, and changes nothing, where the
 * name is taken. A writer that is killed leaves nothing under that name.
 *
 * @throws the file system's error
 */
export async function createDirectory(
  parent: string,
  name: string,
  files: Readonly<Record<string, Uint8Array>>,
): Promise<boolean> {
  const staging = join(parent, stagingName());
  await mkdir(staging, { recursive: true });
  try {
    await Promise.all(Object.entries(files).map(([file, bytes]) => writeDurably(join(staging, file), bytes)));
    const isNew = await moveDirectory(staging, parent, name);
    if (!isNew) await rm(staging, { recursive: true, force: true });
    return isNew;
  } catch (error) {
    await rm(staging, { recursive: true, force: true });
    throw error;
  }
}

/**
 * Moves `directory`, whose files are durable and which is not empty, to `parent/name` on the same file system. Returns
 * false, and changes nothing, where the name is taken.
 *
 * @throws the file system's error
 */
export async function moveDirectory(directory: string, parent: string, name: string): Promise<boolean> {
  await syncDirectory(directory);
  try {
    await rename(directory, join(parent, name));
  } catch (error) {
    if (isCode(error, 'ENOTEMPTY', 'EEXIST')) return false;
    throw error;
  }
  await syncDirectory(parent);
  return true;
}

/**
 * Removes a directory so that no reader sees half of it. Returns false where it is gone already, or where `isNeeded`, asked
 * when nobody can find it any longer, says so: then it is there again.
 */
export async function removeDirectory(
  parent: string,
  name: string,
  isNeeded: () => Promise<boolean> = async () => false,
): Promise<boolean> {
  const removed = join(parent, stagingName());
  try {
    await rename(join(parent, name), removed);
  } catch (error) {
    if (isCode(error, 'ENOENT')) return false;
    throw error;
  }
  if (await isNeeded().catch(() => true)) {
    await moveDirectory(removed, parent, name);
    return false;
  }
  await syncDirectory(parent);
  await rm(removed, { recursive: true, force: true });
  return true;
}

/** Deletes what writers and removers that were killed have left in `parent`. */
export async function removeStale(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    if (!name.startsWith(stagingPrefix)) continue;
    const path = join(parent, name);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Date.now() })); // another writer has removed it
    if (Date.now() - mtimeMs > staleAfterMs) await rm(path, { recursive: true, force: true });
  }
}
