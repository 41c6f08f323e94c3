/** Published model versions and their provenance. */
import type { FastifyBaseLogger } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { TrainyardError } from '../lib/errors.ts';
import { isCode } from '../lib/files.ts';
import { aliasName, modelName } from '../model/registry/names.ts';
import type { Registry } from '../model/registry/registry.ts';
import type { Predictor } from '../model/serving/predictor.ts';
import { manifestSchema, modelOf } from '../model/store/manifest.ts';
import type { ModelStore } from '../model/store/store.ts';
import { evaluationSchema } from '../model/training/evaluation.ts';
import { HttpProblem, problems } from './http/problem.ts';

const modelSchema = manifestSchema
  .extend({
    model: modelName,
    labels: z.array(z.string()),
    aliases: z.array(aliasName).describe('That point to it'),
    served: z.boolean().describe('Whether it is the champion of its model that answers POST /predict now'),
  })
  .meta({ id: 'Model' });
const version = z.coerce.number().int().positive();
const versionEvaluationSchema = z
  .object({ version: z.int().positive(), ...evaluationSchema.shape })
  .meta({ id: 'Evaluation' });
const tags = ['models'];

type Dependencies = { store: ModelStore; registry: Registry; predictor: Pick<Predictor, 'model'> };

const labels = Array.from({ length: 10 }, (_, digit) => String(digit));

export const modelRoutes: FastifyPluginAsyncZod<Dependencies> = async (
  app,
  { store, registry, predictor },
) => {
  const read = async (wanted: number) => {
    const manifest = await store.manifest(wanted);
    if (!manifest) return null;
    const model = modelOf(manifest);
    const state = await registry.read(model);
    const aliases = Object.entries(state?.aliases ?? {})
      .filter(([, { version }]) => version === wanted)
      .map(([alias]) => alias);
    return { ...manifest, model, labels, aliases, served: predictor.model(model)?.version === wanted };
  };

  app.get('/models', {
    schema: {
      tags,
      operationId: 'listModels',
      summary: 'List model versions, newest first',
      querystring: z.strictObject({
        limit: z.coerce.number().int().min(1).max(100).default(20),
        after: version.exactOptional().describe('The last version of the page before'),
        model: modelName.exactOptional().describe('Only versions of this model'),
        alias: aliasName.exactOptional().describe('Only versions that this alias points to'),
      }),
      response: { 200: z.object({ data: z.array(modelSchema), hasMore: z.boolean() }), ...problems(400) },
    },
    handler: async (request) => {
      const { limit, after = Number.POSITIVE_INFINITY, model: wanted, alias } = request.query;
      const versions = (await store.versions()).filter((candidate) => candidate < after);
      const data: z.output<typeof modelSchema>[] = [];
      for (const candidate of versions) {
        const model = await readable(candidate);
        const isWanted =
          (wanted === undefined || model?.model === wanted) &&
          (alias === undefined || model?.aliases.includes(alias));
        if (model && isWanted) data.push(model);
        if (data.length > limit) return { data: data.slice(0, limit), hasMore: true };
      }
      return { data, hasMore: false };
    },
  });

  /** The list leaves out versions whose manifest can't be read; GET by number answers with the error. */
  async function readable(wanted: number) {
    return read(wanted).catch((error: unknown) => {
      app.log.warn({ err: error, version: wanted }, 'model left out of the list');
      return null;
    });
  }

  app.get('/models/:version', {
    schema: {
      tags,
      operationId: 'getModel',
      summary: 'Read where a model came from and how good it is',
      params: z.object({ version }),
      response: { 200: modelSchema, ...problems(400, 404) },
    },
    handler: async (request) => {
      const model = await read(request.params.version).catch(explainUnusable);
      if (model) return model;
      throw await explainMissing(store, request.params.version);
    },
  });

  app.get('/models/:version/evaluation', {
    schema: {
      tags,
      operationId: 'getEvaluation',
      summary: 'Read what a model gets wrong on the test images',
      params: z.object({ version }),
      response: { 200: versionEvaluationSchema, ...problems(400, 404) },
    },
    handler: ({ params, log }) => readEvaluation(store, params.version, log),
  });
};

async function readEvaluation(store: ModelStore, wanted: number, log: FastifyBaseLogger) {
  const evaluation = await store.evaluation(wanted).catch(async (error: unknown) => {
    if (isCode(error, 'MODEL_NOT_FOUND')) throw await explainMissing(store, wanted);
    log.warn({ err: error, version: wanted }, 'evaluation not shown'); // nothing else reads that file
    return explainUnusable(error);
  });
  if (!evaluation) throw evaluationMissing(wanted);
  return { version: wanted, ...evaluation };
}

/** For a version that is not as it was published. The predictor moves a damaged one to quarantine when it loads it. */
function explainUnusable(error: unknown): never {
  const unusable = error instanceof TrainyardError && /^MODEL_(?:DAMAGED|UNSUPPORTED)$/.test(error.code);
  if (!unusable) throw error;
  throw new HttpProblem({
    status: 404,
    code: error.code,
    detail: `${error.message}; ask for another version`,
  });
}

function evaluationMissing(wanted: number): HttpProblem {
  const detail = `expected an evaluation with model ${wanted}, which an older version of this program published without; ask for another version, or train again`;
  return new HttpProblem({ status: 404, code: 'EVALUATION_MISSING', detail });
}

async function explainMissing(store: ModelStore, wanted: number): Promise<HttpProblem> {
  const quarantined = (await store.quarantined()).find((candidate) => candidate.version === wanted);
  if (!quarantined) {
    const detail = `expected a version in GET /models, got ${wanted}`;
    return new HttpProblem({ status: 404, code: 'MODEL_NOT_FOUND', detail });
  }
  const since = quarantined.at === null ? '' : ` since ${quarantined.at}`;
  const detail = `model ${wanted} is in quarantine${since}: ${quarantined.reason}; ask for another version`;
  return new HttpProblem({ status: 404, code: 'MODEL_QUARANTINED', detail });
}
