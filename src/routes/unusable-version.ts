/** Answers for versions that can't be had: never published, deleted, in quarantine, or not as they were published. */
import { TrainyardError } from '../lib/errors.ts';
import type { ModelStore } from '../model/store/store.ts';
import { HttpProblem } from './http/problem.ts';

/** For a version that is not as it was published. The predictor moves a damaged one to quarantine when it loads it. */
export function explainUnusable(error: unknown): never {
  const { code, message } = expectUnusable(error);
  throw new HttpProblem({ status: 404, code, detail: `${message}; ask for another version` });
}

/** Likewise, with the code that the predictor answers for a version that it can't load. */
export function explainNotLoadable(error: unknown): never {
  const detail = `${expectUnusable(error).message}; ask for another version`;
  throw new HttpProblem({ status: 409, code: 'MODEL_NOT_LOADABLE', detail });
}

function expectUnusable(error: unknown): TrainyardError {
  if (error instanceof TrainyardError && /^MODEL_(?:DAMAGED|UNSUPPORTED)$/.test(error.code)) return error;
  throw error;
}

export async function explainMissing(
  store: Pick<ModelStore, 'quarantined'>,
  wanted: number,
): Promise<HttpProblem> {
  const quarantined = (await store.quarantined()).find((candidate) => candidate.version === wanted);
  if (!quarantined) {
    const detail = `expected a version in GET /models, got ${wanted}`;
    return new HttpProblem({ status: 404, code: 'MODEL_NOT_FOUND', detail });
  }
  const since = quarantined.at === null ? '' : ` since ${quarantined.at}`;
  const detail = `model ${wanted} is in quarantine${since}: ${quarantined.reason}; ask for another version`;
  return new HttpProblem({ status: 404, code: 'MODEL_QUARANTINED', detail });
}
