/** The import process: imports one archive and ends. It also ends when its worker is gone. */
import { messageOf, TrainyardError } from '../../lib/errors.ts';
import { isSystemError } from '../../lib/files.ts';
import { importArchive } from '../../model/data/import/import-archive.ts';
import type { ReadProgress } from '../../model/data/import/read-slots.ts';
import { uploadPaths } from '../../model/data/import/uploads.ts';
import { summaryOf } from '../../model/data/imported/manifest.ts';
import type { ImportMessage, ImportOrder, ImportResult } from './import-supervisor.ts';

const progressMs = 200; // at least, between two reports

const stop = new AbortController();
process.on('SIGTERM', () => stop.abort());
process.on('SIGHUP', () => {}); // its parent decides when it ends
process.on('disconnect', () => process.exit(1));
if (!process.connected) process.exit(1); // the parent ended while this process was loading
process.once('message', (order: ImportOrder) => void carryOut(order));

async function carryOut(order: ImportOrder): Promise<void> {
  try {
    send({ type: 'result', result: await run(order) });
  } catch (error) {
    const isKnown = error instanceof TrainyardError || isSystemError(error);
    const code = isKnown ? String((error as NodeJS.ErrnoException).code) : 'IMPORT_FAULT';
    send({ type: 'fault', code, message: messageOf(error) });
  }
}

async function run({
  id,
  dataDir,
  data: { request, fileName, allBytes },
}: ImportOrder): Promise<ImportResult> {
  const { directory, archive } = uploadPaths(dataDir, id);
  const outcome = await importArchive({
    ...request,
    archive,
    ...(fileName !== null && { fileName }),
    ...(allBytes !== undefined && { allBytes }),
    dataDir,
    staging: directory,
    onProgress: createReporter(),
    signal: stop.signal,
  });
  if (outcome.ok) return { ok: true, report: summaryOf(outcome.manifest.report) };
  return { ...outcome, report: outcome.report ?? null };
}

/** Reports now and then, and at the end. */
function createReporter(): (progress: ReadProgress) => void {
  let reportedAt = Number.NEGATIVE_INFINITY;
  return ({ pictures, count, problems }) => {
    const now = performance.now();
    if (pictures < count && now - reportedAt < progressMs) return;
    reportedAt = now;
    const fraction = Number((pictures / count).toFixed(4));
    send({ type: 'progress', progress: { pictures, count, problems, fraction } });
  };
}

function send(message: ImportMessage): void {
  process.send!(message, (error: Error | null) => error && process.exit(1)); // the worker is gone
}
