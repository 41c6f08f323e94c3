/** What GET /metrics says of imports and data sets. All of it is read on each scrape, from Redis and from disk. */
import { Counter, Gauge, type Registry } from 'prom-client';
import type { ImportMetrics, ImportQueue } from '../jobs/producer/import-queue.ts';
import type { Datasets } from '../model/data/imported/datasets.ts';

export type ImportMetricsDependencies = {
  readonly imports: Pick<ImportQueue, 'metrics'>;
  readonly importedSets: Pick<Datasets, 'bytes'>;
};

type Instruments = ReturnType<typeof createImportInstruments>;

export function createImportInstruments(registry: Registry) {
  const registers = [registry];
  return {
    jobs: new Gauge({
      name: 'trainyard_import_jobs',
      help: 'Imports that Redis keeps, by state',
      labelNames: ['state'],
      registers,
    }),
    ended: new Counter({
      name: 'trainyard_imports_ended_total',
      help: 'Imports that have ended, by how',
      labelNames: ['status'],
      registers,
    }),
    pictures: new Counter({
      name: 'trainyard_import_images_total',
      help: 'Pictures that imports have looked at, by what came of them',
      labelNames: ['outcome'],
      registers,
    }),
    bytes: new Gauge({
      name: 'trainyard_datasets_bytes',
      help: 'What all imported data sets take on disk',
      registers,
    }),
  };
}

/** Without Redis, what is read from it has no value. */
export async function readImports(
  instruments: Instruments,
  { imports, importedSets }: ImportMetricsDependencies,
): Promise<void> {
  const [found, bytes] = await Promise.all([imports.metrics().catch(() => null), importedSets.bytes()]);
  instruments.bytes.set(bytes);
  show(instruments, found);
}

/** The totals are kept in Redis, so that counters are set rather than added to. */
function show(instruments: Instruments, found: ImportMetrics | null): void {
  for (const metric of [instruments.jobs, instruments.ended, instruments.pictures]) metric.reset();
  if (!found) return;
  const { counts, ended, pictures } = found;
  for (const [state, count] of Object.entries(counts)) instruments.jobs.set({ state }, count);
  for (const [status, count] of Object.entries(ended)) instruments.ended.inc({ status }, count);
  for (const [outcome, count] of Object.entries(pictures)) instruments.pictures.inc({ outcome }, count);
}
