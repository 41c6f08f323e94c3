/** A thread that writes one file and ends. */
import { parentPort, workerData } from 'node:worker_threads';
import { sha256Of } from '../../lib/sha256.ts';
import { exportVersion } from './export-version.ts';
import type { ExportOrder, HashedFile } from './exporter.ts';

const { model, format } = workerData as ExportOrder;
const { bytes, ...file } = await exportVersion(model, format);
const own = Uint8Array.from(bytes); // a small Buffer shares its memory with others, which can't be handed over
const result: HashedFile = { ...file, bytes: own, sha256: sha256Of(own) };
parentPort!.postMessage(result, [own.buffer]);
