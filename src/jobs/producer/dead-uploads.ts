/** Archives whose upload was cut off together with its server. */
import { listUploads, removeUpload } from '../../model/data/import/uploads.ts';
import type { ImportQueue } from './import-queue.ts';

/** Removes those that no server receives and no import needs. @throws TrainyardError `REDIS_UNAVAILABLE` */
export async function removeDeadUploads(
  imports: Pick<ImportQueue, 'isKnown'>,
  dataDir: string,
): Promise<void> {
  for (const id of await listUploads(dataDir))
    if (!(await imports.isKnown(id))) await removeUpload(dataDir, id);
}
