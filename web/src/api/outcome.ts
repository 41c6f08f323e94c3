/** The result of an API call as views use it: data, or a problem to show. */
import { type Problem as ApiProblem, ProblemError } from '../../../src/client/index.ts';

export type Problem = ApiProblem & { readonly retryAfterSeconds: number | null };
export type FieldProblem = { readonly field: string; readonly message: string };

export type Outcome<T> =
  | { readonly ok: true; readonly data: T }
  | { readonly ok: false; readonly problem: Problem };

/** Never throws: an aborted call is the problem `ABORTED`, which views ignore. */
export async function outcomeOf<T>(answer: Promise<T>): Promise<Outcome<T>> {
  try {
    return { ok: true, data: await answer };
  } catch (error) {
    return { ok: false, problem: problemOf(error) };
  }
}

function problemOf(error: unknown): Problem {
  if (error instanceof ProblemError) return { ...error.problem, retryAfterSeconds: error.retryAfterSeconds };
  const aborted = error instanceof Error && error.name === 'AbortError';
  const detail = error instanceof Error ? error.message : String(error);
  const code = aborted ? 'ABORTED' : 'PAGE_FAILED';
  const about = { type: 'about:blank', title: 'Error', status: 0, instance: '' } as const;
  return { ...about, code, detail, retryAfterSeconds: null };
}
