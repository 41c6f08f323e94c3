/** Published versions as files for other programs. */
import type { FastifyReply } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { isCode } from '../lib/files.ts';
import { programVersion } from '../lib/program-version.ts';
import { sha256Of } from '../lib/sha256.ts';
import { exportFormats } from '../model/export/export-version.ts';
import { createExporter, mostExports } from '../model/export/exporter.ts';
import type { ModelStore } from '../model/store/store.ts';
import { isKnown } from './http/entity-tags.ts';
import { HttpProblem, problems } from './http/problem.ts';
import { explainMissing, explainUnusable } from './unusable-version.ts';

type Store = Pick<ModelStore, 'load' | 'manifest' | 'quarantined'>;

export const exportRoutes: FastifyPluginAsyncZod<{ store: Store }> = async (app, { store }) => {
  const exportFile = createExporter();
  app.get('/models/:version/export', {
    schema: {
      tags: ['models'],
      operationId: 'exportModel',
      summary: 'A version as a file for ONNX Runtime, PyTorch or tfjs, or its card',
      params: z.object({ version: z.coerce.number().int().positive() }),
      querystring: z.strictObject({
        format: z
          .enum(exportFormats)
          .describe('tfjs: a zip with the card in it; card: data, recipe, accuracy and limits in Markdown'),
      }),
      headers: z.object({ 'if-none-match': z.string().exactOptional() }),
      produces: ['application/octet-stream', 'application/zip', 'text/markdown'],
      response: { 304: z.null(), ...problems(400, 404, 503) },
    },
    handler: async ({ params, query, headers }, reply) => {
      const { format } = query;
      const { sha256 } = await readOr(store, params.version, (version) => store.manifest(version));
      const etag = `"${sha256Of(`${programVersion} ${format} ${sha256}`)}"`;
      reply.header('etag', etag);
      if (isKnown(headers['if-none-match'], etag)) return reply.code(304).send(null);
      const load = () => readOr(store, params.version, (version) => store.load(version));
      const file = await exportFile({ load, format, unwanted: closeOf(reply) });
      if (!file) throw tooMany();
      const { name, mediaType, bytes } = file;
      return reply
        .type(mediaType)
        .header('content-disposition', `attachment; filename="${name}"`)
        .send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) as never);
    },
  });
};

/** Aborts when the answer has been sent, or the client has left. */
function closeOf(reply: FastifyReply): AbortSignal {
  const closed = new AbortController();
  const close = () =>
    closed.abort(new HttpProblem({ status: 499, code: 'CANCELLED', detail: 'nobody waits' }));
  reply.raw.once('close', close);
  if (reply.raw.destroyed) close();
  return closed.signal;
}

function tooMany(): HttpProblem {
  const detail = `expected at most ${mostExports} exports at a time, got more; ask again in a second`;
  return new HttpProblem({ status: 503, code: 'OVERLOADED', detail, retryAfterSeconds: 1 });
}

/** @throws HttpProblem 404 for a version that can't be had */
async function readOr<Found>(
  store: Store,
  version: number,
  read: (version: number) => Promise<Found | null>,
): Promise<Found> {
  const found = await read(version).catch((error: unknown) => {
    if (isCode(error, 'MODEL_NOT_FOUND')) return null;
    return explainUnusable(error);
  });
  if (found === null) throw await explainMissing(store, version);
  return found;
}
