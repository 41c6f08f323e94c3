/**
 * Archives that were sent and are not imported yet: DATA_DIR/datasets/.uploads/ID/, which is also where their import works.
 * Removing that directory stops the import, however far it is: it can't publish any more.
 */
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { removeDirectory } from '../../../lib/create-directory.ts';
import { isCode } from '../../../lib/files.ts';
import { datasetsRoot } from '../imported/datasets.ts';

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
  await removeDirectory(uploadsRoot(dataDir), id);
}

/** Lists the ids. Deletes what a remover that was killed has left: nothing else has a name that begins with a dot. */
export async function listUploads(dataDir: string): Promise<string[]> {
  const root = uploadsRoot(dataDir);
  const names = await readdir(root).catch((error: unknown) => {
    if (isCode(error, 'ENOENT')) return [];
    throw error;
  });
  const isLeft = (name: string) => name.startsWith('.');
  for (const name of names.filter(isLeft)) await rm(join(root, name), { recursive: true, force: true });
  return names.filter((name) => !isLeft(name));
}

/** Counts what archives take on disk; not those that the caller counts itself. */
export async function uploadedBytes(
  dataDir: string,
  isCounted: (id: string) => boolean = () => false,
): Promise<number> {
  const ids = (await listUploads(dataDir)).filter((id) => !isCounted(id));
  const sizes = ids.map(async (id) => {
    const found = await stat(uploadPaths(dataDir, id).archive).catch(() => ({ size: 0 })); // removed meanwhile
    return found.size;
  });
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
