/** A thread that writes one file and ends. */
import { parentPort, workerData } from 'node:worker_threads';
import { type ExportedFile, exportVersion } from './export-version.ts';
import type { ExportOrder } from './exporter.ts';

const { model, format } = workerData as ExportOrder;
const { bytes, ...file } = await exportVersion(model, format);
const own = Uint8Array.from(bytes); // a small Buffer shares its memory with others, which can't be handed over
const result: ExportedFile = { ...file, bytes: own };
parentPort!.postMessage(result, [own.buffer]);
