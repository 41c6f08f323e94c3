/** POST /datasets: an archive of labelled pictures arrives on disk, and its import is queued. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { type ImportRequest, importRequestSchema } from '../jobs/import-contract.ts';
import type { ImportQueue } from '../jobs/producer/import-queue.ts';
import { isCode } from '../lib/files.ts';
import { archiveHeadBytes, archiveTypeOf } from '../model/data/import/archive-type.ts';
import { createUpload, removeUpload, uploadedBytes } from '../model/data/import/uploads.ts';
import type { Datasets } from '../model/data/imported/datasets.ts';
import { datasetSchema, viewImport } from './dataset-view.ts';
import { HttpProblem, problems } from './http/problem.ts';
import { type FileRules, receiveFile } from './http/upload.ts';

export type DatasetLimits = {
  readonly archiveBytes: number; // of one archive
  readonly allBytes: number; // of all data sets on disk, and of archives that wait
};

type Dependencies = {
  readonly imports: ImportQueue;
  readonly datasets: Datasets;
  readonly dataDir: string;
  readonly limits: DatasetLimits;
};

/** What this server receives now: the bytes of each upload, as announced or so far, by its id. */
type Arriving = Map<string, number>;

const renewMs = 10_000; // a third of a claim's life

const schema = {
  tags: ['datasets'],
  operationId: 'importDataset',
  summary: 'Import a zip, tar or tar.gz of labelled pictures',
  querystring: importRequestSchema,
  response: { 202: datasetSchema, ...problems(400, 409, 413, 415, 503, 507) },
};

export const datasetUploadRoutes: FastifyPluginAsyncZod<Dependencies> = async (app, parts) => {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null)); // the handler reads it

  const arriving: Arriving = new Map();
  app.post('/datasets', { schema }, async (request, reply) => {
    try {
      const job = await upload(request, request.query, parts, arriving);
      request.log.info({ importId: job.id, dataset: request.query.name }, 'import queued');
      return await reply
        .code(202)
        .header('location', `/datasets/${request.query.name}`)
        .send(viewImport(job));
    } catch (error) {
      leaveRest(request, reply);
      throw error;
    }
  });
};

/** A body that was refused is not read to its end, which may be a gigabyte away. */
function leaveRest({ raw }: FastifyRequest, reply: FastifyReply): void {
  if (!raw.complete) reply.header('connection', 'close');
}

async function upload(
  request: FastifyRequest,
  query: ImportRequest,
  parts: Dependencies,
  arriving: Arriving,
) {
  const { imports, datasets, dataDir } = parts;
  const { name } = query;
  if (await datasets.manifest(name)) throw nameTaken(name);
  const id = await imports.claim(name);
  if (id === null) throw beingImported(name);
  const claim = keepClaim(imports, name, id);
  try {
    const limit = await limitOf(parts, id, arriving);
    const { archive } = await createUpload(dataDir, id);
    const { bytes, fileName } = await receiveFile(request, archive, {
      limit: (so) => claim.problem() ?? limit(so),
      judge: judgeArchive,
      headBytes: archiveHeadBytes,
    });
    await expectRoom(parts, bytes);
    if (await datasets.manifest(name)) throw nameTaken(name); // published by an import that ended meanwhile
    claim.end();
    const data = { request: query, fileName, bytes, allBytes: parts.limits.allBytes, requestId: request.id };
    if (!(await imports.add(id, data))) throw beingImported(name);
    const progress = { progress: null, report: null, error: null };
    return { id, data, status: 'importing', ...progress, createdAt: new Date().toISOString() } as const;
  } catch (error) {
    claim.end();
    await removeUpload(dataDir, id);
    arriving.delete(id); // its room is free, also while Redis does not answer
    await imports.release(name, id).catch(() => {}); // it runs out by itself
    throw isCode(error, 'ENOENT') ? lost(name) : error; // swept away while Redis did not know of it
  } finally {
    arriving.delete(id);
  }
}

/** Renews the claim to a name while its archive arrives; `problem` says whether it went to another meanwhile. */
function keepClaim(imports: ImportQueue, name: string, id: string) {
  let isLost = false;
  const renew = async () => {
    isLost = !(await imports.renew(name, id));
  };
  const renewal = setInterval(() => void renew().catch(() => {}), renewMs); // the next one tries again
  return { problem: () => (isLost ? lost(name) : null), end: () => clearInterval(renewal) };
}

/** Uploads that arrive at the same time share the room that is left; an announced length takes its part at once. */
async function limitOf(
  { datasets, dataDir, limits }: Dependencies,
  id: string,
  arriving: Arriving,
): Promise<FileRules['limit']> {
  const { archiveBytes, allBytes } = limits;
  arriving.set(id, 0);
  const used = (await datasets.bytes()) + (await uploadedBytes(dataDir, (each) => arriving.has(each)));
  return (bytes) => {
    if (bytes > archiveBytes) return tooLarge(archiveBytes);
    arriving.set(id, Math.max(arriving.get(id)!, bytes));
    const all = [...arriving.values()].reduce((sum, each) => sum + each, used);
    return all > allBytes ? full(allBytes, all - bytes) : null;
  };
}

/** Looks at the disk once more: other servers receive archives too, and imports have ended meanwhile. */
async function expectRoom({ datasets, dataDir, limits: { allBytes } }: Dependencies, bytes: number) {
  const all = (await datasets.bytes()) + (await uploadedBytes(dataDir));
  if (all > allBytes) throw full(allBytes, all - bytes);
}

/** What the import would refuse at once. A gzip may hold anything: the import says what it is. */
function judgeArchive(head: Buffer): HttpProblem | null {
  const type = archiveTypeOf(head);
  return typeof type === 'string'
    ? null
    : new HttpProblem({ status: 415, code: type.code, detail: type.message });
}

function lost(name: string): HttpProblem {
  const detail = `expected the name "${name}" to stay reserved for this upload, but Redis was away for too long; send the archive again`;
  return new HttpProblem({ status: 503, code: 'UPLOAD_LOST', detail, retryAfterSeconds: 1 });
}

function nameTaken(name: string): HttpProblem {
  const detail = `expected a name that is free, got "${name}", which a data set has; choose another name, or delete that one with DELETE /datasets/${name}`;
  return new HttpProblem({ status: 409, code: 'DATASET_NAME_TAKEN', detail });
}

function beingImported(name: string): HttpProblem {
  const detail = `expected a name that is free, got "${name}", which is being imported; choose another name, or wait for GET /datasets/${name}`;
  return new HttpProblem({ status: 409, code: 'DATASET_IMPORTING', detail });
}

function tooLarge(limit: number): HttpProblem {
  const detail = `expected an archive of at most ${limit} bytes, got more; scale the pictures down, or set DATASET_MAX_BYTES`;
  return new HttpProblem({ status: 413, code: 'ARCHIVE_TOO_LARGE', detail });
}

function full(limit: number, used: number): HttpProblem {
  const detail = `expected all data sets to take at most ${limit} bytes, got more with the ${used} bytes that are there; delete some with DELETE /datasets/:name, or set DATASETS_MAX_BYTES`;
  return new HttpProblem({ status: 507, code: 'DATASETS_FULL', detail });
}
