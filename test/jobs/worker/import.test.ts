/** Imports that are cut off: their process or their worker killed, closed, or their data set deleted. */
import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { childrenOf } from '../../../harness/processes.ts';
import { makeZip } from '../../../harness/zip.ts';
import type { ImportJobData, ImportRequest } from '../../../src/jobs/import-contract.ts';
import { type ImportEvent, importEventSchema } from '../../../src/jobs/import-events.ts';
import { type ImportQueue, openImportQueue } from '../../../src/jobs/producer/import-queue.ts';
import { between, randomFor } from '../../../src/lib/random.ts';
import { createUpload, removeUpload, uploadPaths } from '../../../src/model/data/import/uploads.ts';
import { openDatasets } from '../../../src/model/data/imported/datasets.ts';
import { closeAfterTest } from '../../closing.ts';
import { isLong } from '../../long.ts';
import { importBytes, manifestOf, twoLabels } from '../../model/data/import/importing.ts';
import { startRedisServer } from '../redis-server.ts';
import { until } from '../until.ts';
import { endProcess, startWorkerProcess } from '../worker-process.ts';
import { openYard, type Yard } from '../yard.ts';

const { url } = await startRedisServer();
/** Two labels have so many pictures each; in the long form, kills at random moments meet every part of an import. */
const perLabel = isLong ? 600 : 200;
const archive = makeZip(twoLabels(perLabel));
const { pictures: whole } = manifestOf(await importBytes(archive, { form: 'ink' }));
const request: ImportRequest = { name: 'letters', form: 'ink', testShare: 0.2, seed: 1 };

async function openImports(yard: Yard): Promise<ImportQueue> {
  const { prefix, redisUrl, queue } = yard;
  const imports = openImportQueue({ redisUrl, prefix, outage: queue.outage });
  closeAfterTest(() => imports.close());
  return imports;
}

/** Queues the import as the API does; returns its id. */
async function queueImport(
  { dataDir }: Yard,
  imports: ImportQueue,
  limit: Pick<ImportJobData, 'allBytes'> = {},
): Promise<string> {
  const id = await imports.claim('letters');
  if (id === null) throw new Error('expected a free name');
  const upload = await createUpload(dataDir, id);
  await writeFile(upload.archive, archive);
  const data = { request, fileName: null, bytes: archive.length, requestId: 'test', ...limit };
  expect(await imports.add(id, data)).toBe(true);
  return id;
}

/** All events of an import that has ended. */
async function eventsOf(imports: ImportQueue, name: string): Promise<ImportEvent[]> {
  const id = await imports.idOf(name);
  expect(await imports.settle(id!)).toBe('ended');
  return (await imports.events(id!, 1, 10_000)).map((text) => importEventSchema.parse(JSON.parse(text)));
}

function importersOf(worker: number): number[] {
  return childrenOf(worker)
    .filter(({ command }) => command.includes('import-process'))
    .map(({ pid }) => pid);
}

function untilImporter(worker: number, but: readonly number[] = []): Promise<number> {
  const find = () => importersOf(worker).filter((pid) => !but.includes(pid))[0] ?? 0;
  return until('an import process', find, (pid) => pid > 0);
}

const isThere = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );

/** Waits until the import has ended. Returns what it has left: the set whole and nothing else, if all is well. */
async function leftBy({ dataDir }: Yard, imports: ImportQueue) {
  const ended = await until(
    'the data set',
    async () => (await openDatasets(dataDir).manifest('letters')) ?? (await imports.find('letters')),
    (found) => found !== null && ('format' in found || found.status === 'failed'),
  );
  if (!ended || !('format' in ended)) return { failed: ended };
  await openDatasets(dataDir).read('letters'); // checks the bytes
  const uploads = join(dataDir, 'datasets', '.uploads');
  await until(
    'no archive',
    () => readdir(uploads),
    (names) => names.length === 0,
  );
  return { pictures: ended.pictures, names: (await readdir(join(dataDir, 'datasets'))).toSorted() };
}

const allThere = { pictures: whole, names: ['.uploads', 'letters'] };

/** What is on disk at several moments of an import, before it is published. */
const moments = ['archive', 'greys.tmp', 'dataset', join('dataset', 'manifest.json')];

describe('an import', () => {
  it.each(moments)('whose process is killed when there is %s goes on', async (file) => {
    const yard = await openYard(url);
    const imports = await openImports(yard);
    await yard.startWorker();
    const { directory } = uploadPaths(yard.dataDir, await queueImport(yard, imports));
    const pid = await untilImporter(process.pid);
    while (!(await isThere(join(directory, file))) && importersOf(process.pid).includes(pid)) await delay(1);
    const isKilled = importersOf(process.pid).includes(pid);
    if (isKilled) process.kill(pid, 'SIGKILL');
    expect(await leftBy(yard, imports)).toEqual(allThere);
    const attempts = (await eventsOf(imports, 'letters')).filter(({ type }) => type === 'started');
    expect(attempts).toMatchObject(isKilled ? [{ attempt: 1 }, { attempt: 2 }] : [{ attempt: 1 }]);
  });

  it('whose worker is killed is taken by another', async () => {
    const yard = await openYard(url);
    const imports = await openImports(yard);
    const worker = startWorkerProcess(yard);
    await queueImport(yard, imports);
    await untilImporter(worker.pid!);
    await endProcess(worker, 'SIGKILL');
    await yard.startWorker();
    expect(await leftBy(yard, imports)).toEqual(allThere);
  });

  it('whose worker closes is handed over', async () => {
    const yard = await openYard(url);
    const imports = await openImports(yard);
    const worker = await yard.startWorker();
    await queueImport(yard, imports);
    await untilImporter(process.pid);
    await worker.close();
    expect(importersOf(process.pid)).toEqual([]);
    await yard.startWorker();
    expect(await leftBy(yard, imports)).toEqual(allThere);
  });

  it('has failed after three crashes, and its name is free', async () => {
    const yard = await openYard(url);
    const imports = await openImports(yard);
    await yard.startWorker();
    await queueImport(yard, imports);
    const killed: number[] = [];
    for (let crash = 1; crash <= 3; crash++) {
      killed.push(await untilImporter(process.pid, killed));
      process.kill(killed.at(-1)!, 'SIGKILL');
    }
    const failed = await until(
      'a failure',
      () => imports.find('letters'),
      (job) => job?.status === 'failed',
    );
    expect(failed).toMatchObject({
      error: { code: 'IMPORT_CRASHED', message: expect.stringContaining('SIGKILL') },
    });
    expect(await openDatasets(yard.dataDir).list()).toEqual([]);
    await queueImport(yard, imports);
    expect(await leftBy(yard, imports)).toEqual(allThere);
  });

  it('fails where all data sets would take more than they may, and leaves nothing', async () => {
    const yard = await openYard(url);
    const imports = await openImports(yard);
    await yard.startWorker();
    await queueImport(yard, imports, { allBytes: whole.bytes });
    expect(await leftBy(yard, imports)).toMatchObject({
      failed: { error: { code: 'DATASETS_FULL' }, report: { accepted: 2 * perLabel } },
    });
    const names = () => readdir(join(yard.dataDir, 'datasets', '.uploads'));
    await until('no archive', names, (found) => found.length === 0);
    expect(await readdir(join(yard.dataDir, 'datasets'))).toEqual(['.uploads']);
  });

  it('ends when its archive is taken away, and its name is free at once', async () => {
    const yard = await openYard(url);
    const imports = await openImports(yard);
    await yard.startWorker();
    const id = await queueImport(yard, imports);
    await untilImporter(process.pid);
    expect(await imports.drop('letters')).toBe(id);
    await removeUpload(yard.dataDir, id);
    expect(await imports.find('letters')).toBeNull();
    await until(
      'no import process',
      () => importersOf(process.pid),
      (pids) => pids.length === 0,
    );
    expect(await openDatasets(yard.dataDir).list()).toEqual([]);
    await queueImport(yard, imports);
    expect(await leftBy(yard, imports)).toEqual(allThere);
  });

  it.runIf(isLong)(
    'is whole after any of 50 kills, of its process or its worker, or as if never begun',
    async () => {
      const random = randomFor(1, 'kills');
      for (let kill = 0; kill < 50; kill++) {
        const yard = await openYard(url);
        const imports = await openImports(yard);
        const worker = startWorkerProcess(yard);
        await queueImport(yard, imports);
        const pid = await untilImporter(worker.pid!);
        await delay(between(random, 0, 1500)); // the moment of the kill
        if (kill % 2 === 0) await endProcess(worker, 'SIGKILL');
        else if (importersOf(worker.pid!).includes(pid)) process.kill(pid, 'SIGKILL');
        await yard.startWorker();
        expect(await leftBy(yard, imports)).toEqual(allThere);
        await endProcess(worker, 'SIGKILL');
      }
    },
    600_000,
  );
});
