/** The client's error model: every failed call is a problem (RFC 9457), also where the server sent none. */
import type { components } from './schema.ts';

export type Problem = components['schemas']['Problem'];

/** A failed call; the message is the problem's detail. */
export class ProblemError extends Error {
  readonly problem: Problem;
  /** Stable, for programs: the server's code, or `SERVER_UNREACHABLE`, `SERVER_SILENT`, `ANSWER_UNEXPECTED`. */
  readonly code: string;
  /** From the Retry-After header; null where there was none. */
  readonly retryAfterSeconds: number | null;

  constructor(problem: Problem, retryAfterSeconds: number | null = null) {
    super(problem.detail);
    this.name = 'ProblemError';
    this.problem = problem;
    this.code = problem.code;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** What a call of the client resolves to. */
export type Call<Data> = { readonly data?: Data; readonly error?: unknown; readonly response: Response };

/**
 * The body of a successful call: `const job = await answerOf(client.GET('/jobs/{id}', { params: { path: { id } } }))`.
 *
 * @throws ProblemError when the call failed
 */
export async function answerOf<Data>(call: Promise<Call<Data>>): Promise<NonNullable<Data>> {
  const { data, error, response } = await call;
  if (data !== undefined && data !== null) return data;
  throw new ProblemError(isProblem(error) ? error : unexpectedAnswer(response), retryAfterOf(response));
}

/** For a call whose answer has no body (204). @throws ProblemError when the call failed */
export async function expectDone(call: Promise<Call<unknown>>): Promise<void> {
  const { error, response } = await call;
  if (response.ok) return;
  throw new ProblemError(isProblem(error) ? error : unexpectedAnswer(response), retryAfterOf(response));
}

export function isProblem(value: unknown): value is Problem {
  if (typeof value !== 'object' || value === null) return false;
  return 'code' in value && 'detail' in value && typeof value.detail === 'string';
}

/** The Retry-After header in seconds; the header may hold a date as well (RFC 9110, 10.2.3). */
export function retryAfterOf({ headers }: Response): number | null {
  const text = headers.get('retry-after');
  if (text === null) return null;
  const seconds = /^\d+$/.test(text) ? Number(text) : (Date.parse(text) - Date.now()) / 1000;
  return Number.isNaN(seconds) ? null : Math.max(0, seconds);
}

export function serverUnreachable(url: string, cause: unknown): Problem {
  const detail = `expected an answer from ${originOf(url)}, got none (${reasonOf(cause)}); see that the server runs there`;
  return gatewayProblem(url, 'SERVER_UNREACHABLE', detail);
}

export function serverSilent(url: string, seconds: number): Problem {
  const detail = `expected an answer from ${url} within ${seconds} s, got none; try again, or look into the server's log`;
  return gatewayProblem(url, 'SERVER_SILENT', detail);
}

/** Another program answered, such as a proxy. */
export function unexpectedAnswer({ url, status, headers }: Response): Problem {
  const came = `status ${status} with ${headers.get('content-type') ?? 'no content type'}`;
  const detail = `expected an answer of Trainyard from ${url}, got ${came}; see that it is Trainyard's address, and what lies between`;
  return gatewayProblem(url, 'ANSWER_UNEXPECTED', detail, status < 400 ? undefined : status);
}

/** A problem made by the client, in the form that the server uses. */
function gatewayProblem(url: string, code: string, detail: string, status = 502): Problem {
  const instance = URL.canParse(url) ? new URL(url).pathname : url;
  const title = status === 502 ? 'Bad Gateway' : 'Error';
  return { type: 'about:blank', title, status, code, detail, instance };
}

function originOf(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : url;
}

/** The message of the innermost cause: fetch itself only says "fetch failed". */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause instanceof Error) return reasonOf(error.cause);
  return error.message || ('code' in error ? String(error.code) : error.name);
}
