/** What a call of the API came to. Whatever goes wrong is a problem with a code and a sentence to show. */
import type { Problem as ApiProblem } from '../../../src/client/index.ts';

export type Problem = ApiProblem & { readonly retryAfterSeconds: number | null };
export type FieldProblem = { readonly field: string; readonly message: string };

export type Outcome<T> =
  | { readonly ok: true; readonly data: T; readonly response: Response }
  | { readonly ok: false; readonly problem: Problem };

export type Answer<T> = { data?: T; error?: unknown; response: Response };

/** Never throws: what is called off is the problem `ABORTED`, which nobody waits for. */
export async function outcomeOf<T>(request: Promise<Answer<T>>): Promise<Outcome<T>> {
  try {
    const { data, error, response } = await request;
    if (response.ok) return { ok: true, data: data as T, response };
    return { ok: false, problem: { ...(error as ApiProblem), retryAfterSeconds: retryAfter(response) } };
  } catch (error) {
    return { ok: false, problem: calledOff(error) };
  }
}

/** The server is not there; the page says so at one place. */
export function isAbsence({ code }: Pick<Problem, 'code'>): boolean {
  return code === 'SERVER_UNREACHABLE' || code === 'SERVER_SILENT';
}

function retryAfter({ headers }: Response): number | null {
  const seconds = Number(headers.get('retry-after') ?? Number.NaN);
  return Number.isFinite(seconds) ? seconds : null;
}

function calledOff(error: unknown): Problem {
  const aborted = error instanceof Error && error.name === 'AbortError';
  const detail = error instanceof Error ? error.message : String(error);
  const code = aborted ? 'ABORTED' : 'PAGE_FAILED';
  return {
    type: 'about:blank',
    title: 'Error',
    status: 0,
    code,
    detail,
    instance: '',
    retryAfterSeconds: null,
  };
}
