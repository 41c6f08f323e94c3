/** Published model versions and their provenance. */
import type { FastifyBaseLogger } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { isCode } from '../lib/files.ts';
import type { RegistryState } from '../model/registry/decision.ts';
import { mcNemar } from '../model/registry/mcnemar.ts';
import { aliasName, modelName } from '../model/registry/names.ts';
import type { Registry } from '../model/registry/registry.ts';
import type { Predictor } from '../model/serving/predictor.ts';
import { manifestSchema, modelOf, readingOf } from '../model/store/manifest.ts';
import type { ModelStore } from '../model/store/store.ts';
import { compareCorrectness, countCorrect } from '../model/training/correctness.ts';
import { evaluationSchema } from '../model/training/evaluation.ts';
import { HttpProblem, problems } from './http/problem.ts';
import { explainMissing, explainUnusable } from './unusable-version.ts';

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
const index = z.int().nonnegative().describe('Of a test image: /datasets/NAME/test/INDEX.png');
const comparisonSchema = z
  .object({
    version: z.int(),
    other: z.int(),
    images: z.int().describe('The first so many test images, on which both were tested'),
    accuracy: z.number().describe('Share of them that `version` reads right'),
    accuracyOther: z.number(),
    onlyVersion: z.array(index).readonly().describe('Images that only `version` reads right'),
    onlyOther: z.array(index).readonly(),
    p: z
      .number()
      .describe(
        'Of the exact McNemar test, two-sided: the smaller it is, the more certain is the difference',
      ),
  })
  .meta({ id: 'ModelComparison' });
const tags = ['models'];

type Dependencies = { store: ModelStore; registry: Registry; predictor: Pick<Predictor, 'model'> };

const listSchema = {
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
};

export const modelRoutes: FastifyPluginAsyncZod<Dependencies> = async (app, parts) => {
  const { store } = parts;

  app.get('/models', { schema: listSchema }, async ({ query, log }) => {
    const { limit, after = Number.POSITIVE_INFINITY, model: name, alias } = query;
    const data: Model[] = [];
    const read = modelReader(parts, log);
    for (const candidate of await store.versions()) {
      if (candidate >= after) continue;
      const model = await read(candidate).catch(leaveOut(candidate, log));
      if (!model || (name && model.model !== name) || (alias && !model.aliases.includes(alias))) continue;
      if (data.length === limit) return { data, hasMore: true };
      data.push(model);
    }
    return { data, hasMore: false };
  });

  app.get('/models/:version', {
    schema: {
      tags,
      operationId: 'getModel',
      summary: 'Read where a model came from and how good it is',
      params: z.object({ version }),
      response: { 200: modelSchema, ...problems(400, 404) },
    },
    handler: async (request) => {
      const read = modelReader(parts, request.log);
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

  app.get('/models/:version/comparison/:other', {
    schema: {
      tags,
      operationId: 'compareModels',
      summary: 'Compare two versions on the test images that both were tested on',
      params: z.object({ version, other: version }),
      response: { 200: comparisonSchema, ...problems(400, 404, 409) },
    },
    handler: ({ params }) => compare(store, params.version, params.other),
  });
};

type Model = z.output<typeof modelSchema>;

/** Reads versions for one request; the registry of each model once. Null for a version that does not exist. */
function modelReader({ store, registry, predictor }: Dependencies, log: FastifyBaseLogger) {
  const states = new Map<string, Promise<RegistryState | null>>();
  const stateOf = (model: string) => {
    const state = states.get(model) ?? registry.read(model).catch(withoutAliases(model, log));
    states.set(model, state);
    return state;
  };
  return async (wanted: number): Promise<Model | null> => {
    const manifest = await store.manifest(wanted);
    if (!manifest) return null;
    const model = modelOf(manifest);
    const state = await stateOf(model);
    const aliases = Object.entries(state?.aliases ?? {})
      .filter(([, alias]) => alias.version === wanted)
      .map(([name]) => name);
    const labels = [...readingOf(manifest).labels];
    return { ...manifest, model, labels, aliases, served: predictor.model(model)?.version === wanted };
  };
}

/** What is decided about a model can't be read: its versions are shown all the same. */
function withoutAliases(model: string, log: FastifyBaseLogger) {
  return (error: unknown): null => {
    log.warn({ err: error, model }, 'versions shown without their aliases');
    return null;
  };
}

/** The list leaves out versions whose manifest can't be read; GET by number answers with the error. */
function leaveOut(wanted: number, log: FastifyBaseLogger) {
  return (error: unknown): null => {
    log.warn({ err: error, version: wanted }, 'model left out of the list');
    return null;
  };
}

async function readEvaluation(store: ModelStore, wanted: number, log: FastifyBaseLogger) {
  const evaluation = await store.evaluation(wanted).catch(async (error: unknown) => {
    if (isCode(error, 'MODEL_NOT_FOUND')) throw await explainMissing(store, wanted);
    log.warn({ err: error, version: wanted }, 'evaluation not shown'); // nothing else reads that file
    return explainUnusable(error);
  });
  if (!evaluation) throw evaluationMissing(wanted);
  return { version: wanted, ...evaluation };
}

async function compare(store: ModelStore, wanted: number, other: number) {
  const [first, second] = await Promise.all([testedVersion(store, wanted), testedVersion(store, other)]);
  if (first.set !== second.set) {
    const detail = `expected two versions that were tested on the same test images, models ${wanted} and ${other} were not`;
    throw new HttpProblem({ status: 409, code: 'NOT_COMPARABLE', detail });
  }
  const { images, onlyFirst, onlySecond } = compareCorrectness(first.correctness, second.correctness);
  return {
    version: wanted,
    other,
    images,
    accuracy: countCorrect(first.correctness, images) / images,
    accuracyOther: countCorrect(second.correctness, images) / images,
    onlyVersion: onlyFirst,
    onlyOther: onlySecond,
    p: mcNemar(onlyFirst.length, onlySecond.length),
  };
}

async function testedVersion(store: ModelStore, wanted: number) {
  const manifest = await store.manifest(wanted).catch(explainUnusable);
  if (!manifest) throw await explainMissing(store, wanted);
  const correctness = await store.correctness(wanted).catch(explainUnusable);
  if (correctness) return { correctness, set: manifest.test!.set };
  const detail = `expected a version with the results of its test, model ${wanted} was published without, by an older version of this program; train again`;
  throw new HttpProblem({ status: 409, code: 'NOT_COMPARABLE', detail });
}

function evaluationMissing(wanted: number): HttpProblem {
  const detail = `expected an evaluation with model ${wanted}, which an older version of this program published without; ask for another version, or train again`;
  return new HttpProblem({ status: 404, code: 'EVALUATION_MISSING', detail });
}
