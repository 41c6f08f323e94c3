/** Data sets: what networks learn from, and their pictures. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { ImportQueue } from '../jobs/producer/import-queue.ts';
import type { JobQueue } from '../jobs/producer/queue.ts';
import { availableBuiltIns, isBuiltIn } from '../model/data/built-in.ts';
import { removeUpload } from '../model/data/import/uploads.ts';
import type { Datasets } from '../model/data/imported/datasets.ts';
import { summaryOf } from '../model/data/imported/manifest.ts';
import { datasetName } from '../model/registry/names.ts';
import {
  builtInViews,
  type DatasetView,
  datasetSchema,
  datasetStatus,
  viewBuiltIn,
  viewImport,
  viewImported,
} from './dataset-view.ts';
import { HttpProblem, problems } from './http/problem.ts';
import { unknownDataset } from './trainable-dataset.ts';

type Dependencies = {
  readonly datasets: Datasets;
  readonly imports: ImportQueue;
  readonly queue: Pick<JobQueue, 'list'>;
  readonly dataDir: string;
};

const tags = ['datasets'];
export const datasetParams = z.object({ name: datasetName });

export const datasetRoutes: FastifyPluginAsyncZod<Dependencies> = async (app, parts) => {
  app.get('/datasets', {
    schema: {
      tags,
      operationId: 'listDatasets',
      summary:
        'List data sets by name: built-in ones, then imported ones and those being imported; reports are without `problems` and `duplicateFiles`',
      querystring: z.strictObject({ status: datasetStatus.exactOptional().describe('Only those') }),
      response: { 200: z.object({ data: z.array(datasetSchema) }), ...problems(400, 503) },
    },
    handler: async ({ query: { status } }) => {
      const all = await listAll(parts);
      return {
        data: all.filter((dataset) => status === undefined || dataset.status === status).map(inList),
      };
    },
  });

  app.get('/datasets/:name', {
    schema: {
      tags,
      operationId: 'getDataset',
      summary: 'Read a data set, the progress of its import, and the report on it',
      params: datasetParams,
      response: { 200: datasetSchema, ...problems(400, 404, 503) },
    },
    handler: async ({ params: { name } }) => {
      const found = await find(parts, name);
      if (!found) throw unknownDataset(name);
      return found;
    },
  });

  app.delete('/datasets/:name', {
    schema: {
      tags,
      operationId: 'removeDataset',
      summary: 'Delete a data set, or cancel its import',
      params: datasetParams,
      response: { 204: z.null(), ...problems(400, 404, 409, 503) },
    },
    handler: async (request, reply) => {
      await remove(parts, request.params.name);
      request.log.info({ dataset: request.params.name }, 'data set deleted');
      return reply.code(204).send(null);
    },
  });
};

async function find({ datasets, imports }: Dependencies, name: string): Promise<DatasetView | null> {
  if (isBuiltIn(name)) return availableBuiltIns().includes(name) ? viewBuiltIn(name) : null;
  const manifest = await datasets.manifest(name);
  if (manifest) return viewImported(manifest);
  const job = await imports.find(name);
  if (job) return viewImport(job);
  const published = await datasets.manifest(name); // its import may have ended between the two
  return published && viewImported(published);
}

async function listAll({ datasets, imports }: Dependencies): Promise<DatasetView[]> {
  const jobs = (await imports.list()).map(viewImport); // first: one that ends meanwhile is on disk then
  const ready = (await datasets.list()).map(viewImported);
  const names = new Set(ready.map(({ name }) => name));
  const all = [...ready, ...jobs.filter(({ name }) => !names.has(name))];
  return [...builtInViews(), ...all.toSorted((a, b) => (a.name < b.name ? -1 : 1))];
}

/** The files that were refused or left out may be thousands for each set: GET /datasets/:name has them. */
function inList(dataset: DatasetView): DatasetView {
  return { ...dataset, report: dataset.report && summaryOf(dataset.report) };
}

async function remove({ datasets, imports, queue, dataDir }: Dependencies, name: string): Promise<void> {
  if (isBuiltIn(name)) throw builtIn(name);
  const users = await jobsOn(queue, name);
  if (users.length > 0) throw inUse(name, users);
  const dropped = await imports.drop(name);
  if (dropped !== null) await removeUpload(dataDir, dropped); // which stops its import
  const jobsSince: string[] = []; // of a training that was asked for meanwhile
  const isRemoved = await datasets.remove(name, async () => {
    jobsSince.push(...(await jobsOn(queue, name)));
    return jobsSince.length > 0;
  });
  if (jobsSince.length > 0) throw inUse(name, jobsSince);
  if (!isRemoved && dropped === null) throw unknownDataset(name);
}

/** Jobs that are queued or run. */
async function jobsOn(queue: Dependencies['queue'], name: string): Promise<string[]> {
  const all = await Promise.all(
    (['running', 'queued'] as const).map((status) => queue.list({ status, limit: 1000 })),
  );
  return all
    .flatMap(({ data }) => data)
    .filter(({ request }) => request.dataset === name)
    .map(({ id }) => id);
}

function builtIn(name: string): HttpProblem {
  const detail = `expected a data set that was imported, got "${name}", which comes with the program`;
  return new HttpProblem({ status: 409, code: 'DATASET_BUILT_IN', detail });
}

function inUse(name: string, jobs: readonly string[]): HttpProblem {
  const named = jobs.slice(0, 3).join(', ');
  const detail = `expected a data set that no job needs, got "${name}", which job ${named}${jobs.length > 3 ? ' and others' : ''} will train on; cancel it, or wait until it has ended`;
  return new HttpProblem({ status: 409, code: 'DATASET_IN_USE', detail });
}
