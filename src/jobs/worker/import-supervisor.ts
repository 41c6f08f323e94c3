/** Starts, follows and stops the process that imports one archive, so that whatever an archive does to it ends nothing else. */
import { endChild, forkBeside } from '../../lib/child-process.ts';
import { TrainyardError } from '../../lib/errors.ts';
import { setNiceness } from '../../lib/niceness.ts';
import type { PartialReport } from '../../model/data/import/import-archive.ts';
import type { ReportSummary } from '../../model/data/imported/manifest.ts';
import type { ImportJobData, ImportProgress } from '../import-contract.ts';

/** The one message to the process. */
export type ImportOrder = {
  readonly id: string; // of the upload
  readonly dataDir: string;
  readonly data: ImportJobData;
};

export type ImportResult =
  | { readonly ok: true; readonly report: ReportSummary }
  | {
      readonly ok: false;
      readonly code: string;
      readonly message: string;
      readonly report: PartialReport | null;
    };

/** A message from the process; `result` or `fault` is the last one. */
export type ImportMessage =
  | { readonly type: 'progress'; readonly progress: ImportProgress }
  | { readonly type: 'result'; readonly result: ImportResult }
  | { readonly type: 'fault'; readonly code: string; readonly message: string };

const stopGraceMs = 1000; // for the pictures that are being read

/**
 * Runs one import to its end; null when `signal` has stopped it.
 *
 * @throws TrainyardError with the process's own code, or `IMPORT_CRASHED` when it ended without a result
 */
export async function runImport(
  order: ImportOrder,
  onProgress: (progress: ImportProgress) => void,
  signal: AbortSignal,
  niceness: number,
): Promise<ImportResult | null> {
  const child = forkBeside(import.meta.url, 'import-process');
  setNiceness(child, niceness);
  const stop = () => void endChild(child, 'SIGTERM', stopGraceMs);
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    return await new Promise<ImportResult>((resolve, reject) => {
      child.on('message', (message: ImportMessage) => {
        if (message.type === 'progress') onProgress(message.progress);
        else if (message.type === 'result') resolve(message.result);
        else reject(new TrainyardError(message.code, message.message));
      });
      child.on('exit', (code, signalName) => reject(crashed(signalName ?? `exit code ${code}`)));
      child.send(order, (error) => error && reject(error));
    });
  } catch (error) {
    if (signal.aborted) return null;
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
    await endChild(child, 'SIGKILL', 0); // nothing more is expected of it
  }
}

function crashed(how: string): TrainyardError {
  return new TrainyardError('IMPORT_CRASHED', `expected the import to report a result, it ended by ${how}`);
}
