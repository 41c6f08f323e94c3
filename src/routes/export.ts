/** Published versions as files for other programs. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { isCode } from '../lib/files.ts';
import { exportFormats } from '../model/export/export-version.ts';
import { createExporter } from '../model/export/exporter.ts';
import type { ModelStore, StoredModel } from '../model/store/store.ts';
import { problems } from './http/problem.ts';
import { explainMissing, explainUnusable } from './unusable-version.ts';

type Store = Pick<ModelStore, 'load' | 'quarantined'>;

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
      response: { 304: z.null(), ...problems(400, 404) },
    },
    handler: async ({ params, query, headers }, reply) => {
      const file = await exportFile(() => load(store, params.version), query.format);
      const { name, mediaType, bytes, sha256 } = file;
      const etag = `"${sha256}"`;
      reply.header('etag', etag);
      if (isKnown(headers['if-none-match'], etag)) return reply.code(304).send(null);
      return reply
        .type(mediaType)
        .header('content-disposition', `attachment; filename="${name}"`)
        .send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) as never);
    },
  });
};

async function load(store: Store, version: number): Promise<StoredModel> {
  try {
    return await store.load(version);
  } catch (error) {
    if (isCode(error, 'MODEL_NOT_FOUND')) throw await explainMissing(store, version);
    return explainUnusable(error);
  }
}

/** Weak tags match as well (RFC 9110, 13.1.2). */
function isKnown(known: string | undefined, etag: string): boolean {
  return known?.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag) ?? false;
}
