/**
 * Writes exported files in a thread: the largest network takes some 50 ms, in which the API would answer nothing else. One file
 * at a time; few may wait for it or be on their way to a client, so that many requests take the memory of a few.
 */
import { createTurns } from '../../lib/in-turn.ts';
import { startThread } from '../../lib/thread.ts';
import type { StoredModel } from '../store/read-version.ts';
import type { ExportedFile, ExportFormat } from './export-version.ts';

export const mostExports = 16; // that wait, are written, or are being sent: up to 8 MB each
export type ExportOrder = { readonly model: StoredModel; readonly format: ExportFormat };

/** `unwanted` aborts when the file has been sent, or nobody waits for it: it is then not written, if it is not yet. */
export type ExportRequest = {
  readonly load: () => Promise<StoredModel>;
  readonly format: ExportFormat;
  readonly unwanted: AbortSignal;
};

/**
 * Null where too many files are under way. Rejects with what `load` throws, and with the signal's reason when it aborts. The
 * weights that `load` gives are handed over: the caller's array is empty afterwards.
 */
export type Exporter = (request: ExportRequest) => Promise<ExportedFile> | null;

export function createExporter(): Exporter {
  const inTurn = createTurns();
  let underWay = 0;
  return ({ load, format, unwanted }) => {
    if (unwanted.aborted) return Promise.reject(unwanted.reason as Error);
    if (underWay === mostExports) return null;
    underWay++;
    unwanted.addEventListener('abort', () => underWay--, { once: true });
    return inTurn(async () => {
      unwanted.throwIfAborted();
      return inThread({ model: await load(), format });
    });
  };
}

function inThread(order: ExportOrder): Promise<ExportedFile> {
  return new Promise((resolve, reject) => {
    const transferList = [order.model.weights.buffer as ArrayBuffer];
    const thread = startThread(import.meta.url, 'export-thread', { workerData: order, transferList });
    thread.once('message', resolve);
    thread.once('error', reject);
    thread.once('exit', (code) => reject(new Error(`expected a file of the thread, it ended by ${code}`)));
  });
}
