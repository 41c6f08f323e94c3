/** The corrections that a training job is asked to learn from, frozen when it is queued. */
import { modelTrained, type TrainRequest } from '../jobs/contract.ts';
import type { JobQueue } from '../jobs/producer/queue.ts';
import type { Corrections } from '../model/corrections/corrections.ts';
import { HttpProblem } from './http/problem.ts';

/** The SHA-256 of the corrections that a request asks for. @throws HttpProblem 409 where there are none */
export async function frozenFor(
  request: TrainRequest,
  corrections: Corrections,
  queue: Pick<JobQueue, 'frozenSets'>,
): Promise<string | false> {
  const { corrections: asked } = request;
  if (asked === false) return false;
  const model = modelTrained(request);
  if (asked !== true) return expectSet(asked, model, corrections);
  const frozen = await corrections.freeze(model, () => queue.frozenSets());
  if (frozen !== null) return frozen;
  const detail = `expected corrections of model ${model} to train on, there are none; add some with POST /corrections, or leave corrections out`;
  throw new HttpProblem({ status: 409, code: 'NO_CORRECTIONS', detail });
}

async function expectSet(sha256: string, model: string, corrections: Corrections): Promise<string> {
  const owner = await corrections.modelOfSet(sha256);
  if (owner === model) return sha256;
  const came = owner === null ? `${sha256}, which is gone or damaged` : `one of model ${owner}`;
  const detail = `expected the SHA-256 of a set of model ${model}, got ${came}; send true, which freezes the corrections of now`;
  throw new HttpProblem({ status: 409, code: 'CORRECTIONS_MISSING', detail });
}
