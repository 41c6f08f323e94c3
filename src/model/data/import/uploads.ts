/**
 * Archives that were sent and are not imported yet: DATA_DIR/datasets/.uploads/ID/, which is also where their import works.
 * Removing that directory stops the import, however far it is: it can't publish any more.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isCode } from '../../../lib/files.ts';
import { datasetsRoot } from '../imported/datasets.ts';

const removedPrefix = '.removed-';

export type UploadPaths = { readonly directory: string; readonly archive: string };

export function uploadPaths(dataDir: string, id: string): UploadPaths {
  const directory = join(uploadsRoot(dataDir), id);
  return { directory, archive: join(directory, 'archive') };
}

function uploadsRoot(dataDir: string): string {
  return join(datasetsRoot(dataDir), '.uploads');
}

export async function createUpload(dataDir: string, id: string): Promise<UploadPaths> {
  const paths = uploadPaths(dataDir, id);
  await mkdir(paths.directory, { recursive: true });
  return paths;
}

/** Takes it away first, so that an import that still writes there ends with an error. */
export async function removeUpload(dataDir: string, id: string): Promise<void> {
  const removed = join(uploadsRoot(dataDir), `${removedPrefix}${randomUUID()}`);
  try {
    await rename(join(uploadsRoot(dataDir), id), removed);
  } catch (error) {
    if (isCode(error, 'ENOENT')) return;
    throw error;
  }
  await rm(removed, { recursive: true, force: true });
}

/** Their ids. Removes what a remover that was killed has left. */
export async function listUploads(dataDir: string): Promise<string[]> {
  const root = uploadsRoot(dataDir);
  const names = await readdir(root).catch((error: unknown) => {
    if (isCode(error, 'ENOENT')) return [];
    throw error;
  });
  for (const name of names)
    if (name.startsWith(removedPrefix)) await rm(join(root, name), { recursive: true, force: true });
  return names.filter((name) => !name.startsWith('.'));
}

/** Of all archives that wait. */
export async function uploadedBytes(dataDir: string): Promise<number> {
  const sizes = (await listUploads(dataDir)).map(async (id) => {
    const found = await stat(uploadPaths(dataDir, id).archive).catch(() => ({ size: 0 })); // removed meanwhile
    return found.size;
  });
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
