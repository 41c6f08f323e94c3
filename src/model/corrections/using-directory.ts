/** Says in one way that a directory of DATA_DIR can't be used: what it is, what is wrong with it and what to do. */
import { messageOf, TrainyardError } from '../../lib/errors.ts';
import { isCode } from '../../lib/files.ts';

/**
 * @throws TrainyardError `CORRECTIONS_UNUSABLE` for the file system's error, such as a file in the directory's place or no
 *   permission. Any other error, and that of a full disk, is thrown as it is.
 */
export async function usingDirectory<Result>(path: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    const isSystemError = error instanceof Error && 'errno' in error && 'syscall' in error;
    if (!isSystemError || isCode(error, 'ENOSPC', 'EDQUOT')) throw error;
    const message = `expected to use the directory ${path}, got: ${messageOf(error)}; correct its owner or mode, or move away what is in its place`;
    throw new TrainyardError('CORRECTIONS_UNUSABLE', message, { cause: error });
  }
}
