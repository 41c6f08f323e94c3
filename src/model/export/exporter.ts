/**
 * Writes exported files in a thread: the largest network takes some 50 ms, in which the API would answer nothing else. One file
 * at a time, so that many requests take the memory of one.
 */
import { createTurns } from '../../lib/in-turn.ts';
import { startThread } from '../../lib/thread.ts';
import type { StoredModel } from '../store/read-version.ts';
import type { ExportedFile, ExportFormat } from './export-version.ts';

export type HashedFile = ExportedFile & { readonly sha256: string };
export type ExportOrder = { readonly model: StoredModel; readonly format: ExportFormat };

/** Rejects with what `load` throws. The weights that it gives are handed over: the caller's array is empty afterwards. */
export type Exporter = (load: () => Promise<StoredModel>, format: ExportFormat) => Promise<HashedFile>;

export function createExporter(): Exporter {
  const inTurn = createTurns();
  return (load, format) => inTurn(async () => inThread({ model: await load(), format }));
}

function inThread(order: ExportOrder): Promise<HashedFile> {
  return new Promise((resolve, reject) => {
    const transferList = [order.model.weights.buffer as ArrayBuffer];
    const thread = startThread(import.meta.url, 'export-thread', { workerData: order, transferList });
    thread.once('message', resolve);
    thread.once('error', reject);
    thread.once('exit', (code) => reject(new Error(`expected a file of the thread, it ended by ${code}`)));
  });
}
