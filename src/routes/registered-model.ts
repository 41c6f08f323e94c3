/** A model with its aliases as the API shows it, and refusals of the registry as problems. */
import { z } from 'zod';
import { imageForms } from '../model/data/dataset.ts';
import type { Refusal } from '../model/registry/calls.ts';
import { type RegistryState, stateSchema } from '../model/registry/decision.ts';
import { champion, modelName } from '../model/registry/names.ts';
import { HttpProblem } from './http/problem.ts';
import type { VersionIndex } from './version-index.ts';

const { aliases, traffic, path, revision } = stateSchema.shape;

export const registeredModelSchema = z
  .object({
    name: modelName,
    dataset: z.string(),
    labels: z.array(z.string()),
    form: z
      .enum(imageForms)
      .describe(
        'What it reads: drawn or written `ink`, or a `picture` as it is; of the version that answers, as are the labels',
      ),
    aliases,
    traffic,
    champions: path.describe(
      'The versions that were champion, the present one first; a rollback takes the first away, and makes the next one that can be loaded champion',
    ),
    versions: z.int().describe('How many are in the store'),
    newest: z.int().nullable(),
    revision: revision.describe('The number of the last decision that changed this, and the ETag'),
  })
  .meta({ id: 'RegisteredModel' });

export function describe(name: string, state: RegistryState, index: VersionIndex) {
  const { versions, newest, dataset, labels, form } = index.of(
    name,
    state.aliases[champion]?.version ?? null,
  );
  const { aliases: named, traffic: shares, path: champions, revision: number } = state;
  const decided = { aliases: named, traffic: shares, champions, revision: number };
  return { name, dataset, labels, form, versions, newest, ...decided };
}

export const etagOf = ({ revision: number }: RegistryState) => `"${number}"`;

const statusOf: Record<Refusal['code'], number> = {
  MODEL_UNKNOWN: 404,
  MODEL_NOT_FOUND: 404,
  ALIAS_NOT_FOUND: 404,
  MODEL_NOT_LOADABLE: 409,
  MODEL_NOT_LOADED_YET: 503,
  CHAMPION_NEEDED: 409,
  NO_CHAMPION_BEFORE: 409,
  ROLLED_BACK_MEANWHILE: 409,
  ALIAS_HAS_TRAFFIC: 409,
  ALIAS_EXISTS: 412,
  REGISTRY_CHANGED: 412,
};

/** @throws HttpProblem for a refusal */
export function expectAllowed<Value extends object>(value: Value | Refusal): Value {
  if (!isRefusal(value)) return value;
  const status = statusOf[value.code];
  const retryAfterSeconds = status === 503 ? 1 : undefined;
  throw new HttpProblem({ status, code: value.code, detail: value.message, retryAfterSeconds });
}

function isRefusal(value: object): value is Refusal {
  return 'ok' in value && value.ok === false;
}
