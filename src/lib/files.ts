/** Files that survive a crash, and the data directory. */
import { constants } from 'node:fs';
import { access, mkdir, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { messageOf, TrainyardError } from './errors.ts';

/** @throws TrainyardError `DATA_DIR_UNUSABLE` when nothing can be written there */
export async function openDataDir(dataDir: string): Promise<void> {
  try {
    await makeDirectory(dataDir);
    await access(dataDir, constants.W_OK | constants.X_OK);
  } catch (error) {
    const message = `expected to keep models and jobs in ${dataDir}, got: ${messageOf(error)}; give that directory to the user that runs this, or set DATA_DIR to another`;
    throw new TrainyardError('DATA_DIR_UNUSABLE', message, { cause: error });
  }
}

/** Creates parents too. Not by `recursive: true`, which never returns in /proc. */
async function makeDirectory(path: string): Promise<void> {
  const found = await stat(path).catch((error: unknown) => {
    if (isCode(error, 'ENOENT')) return null;
    throw error;
  });
  if (found?.isDirectory()) return;
  await makeDirectory(dirname(path));
  await mkdir(path).catch(async (error: unknown) => {
    const isThere = isCode(error, 'EEXIST') && (await stat(path)).isDirectory(); // another process created it meanwhile
    if (!isThere) throw error;
  });
}

/** Writes a file and fsyncs it. */
export async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'w');
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes the names in a directory durable: fsync of a file does not (fsync(2)). */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

export async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (isCode(error, 'ENOENT')) return false;
    throw error;
  }
}

/** Whether `error` is a system error or a TrainyardError with one of these codes. */
export function isCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}

/** Whether a system call failed, as opposed to a check of ours or of a library's. */
export function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}
