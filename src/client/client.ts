/** The typed client of the API, for browsers and Node. */
import openClient, { type Client, type Middleware } from 'openapi-fetch';
import {
  type Call,
  isProblem,
  type Problem,
  serverSilent,
  serverUnreachable,
  unexpectedAnswer,
} from './problem.ts';
import type { components, paths } from './schema.ts';

/** `client.GET('/jobs/{id}', …)` gives `{ data, response }` or `{ error, response }`; `error` is always a problem. */
export type TrainyardClient = Client<paths>;

export type ClientOptions = {
  /** `http://127.0.0.1:3000`; in a browser also `''`, the origin of the page. */
  readonly baseUrl: string;
  /** One of the keys in the server's API_KEY. */
  readonly key?: string | undefined;
  readonly fetch?: ((request: Request) => Promise<Response>) | undefined;
};

const answerWithinMs = 30_000;

/** Calls throw only when they are aborted; an unreachable server gives a problem like any other failure. */
export function createClient({ baseUrl, key, fetch = globalThis.fetch }: ClientOptions): TrainyardClient {
  const client = openClient<paths>({
    baseUrl,
    fetch: (request) => fetch(request),
    ...(key !== undefined && { headers: { authorization: `Bearer ${key}` } }),
  });
  client.use(problemsOnly());
  return client;
}

/** Replaces every failure that is not yet a problem by one: no connection, no answer in time, an answer of another program. */
function problemsOnly(): Middleware {
  const limits = new WeakMap<Request, AbortSignal>();
  const failed = (request: Request, error: unknown) => {
    if (limits.get(request)?.aborted) return asResponse(serverSilent(request.url, answerWithinMs / 1000));
    if (request.signal.aborted) throw error;
    return asResponse(serverUnreachable(request.url, error));
  };
  return {
    onRequest: ({ request, options }) => {
      if (options.parseAs === 'stream') return undefined; // a stream has no end; its reader checks for silence
      const limit = AbortSignal.timeout(answerWithinMs);
      const limited = new Request(request, { signal: AbortSignal.any([request.signal, limit]) });
      limits.set(limited, limit);
      return limited;
    },
    onError: ({ request, error }) => failed(request, error),
    onResponse: async ({ request, response, schemaPath, options: { parseAs } }) => {
      const type = response.headers.get('content-type') ?? '';
      if (response.status === 204 || (parseAs === 'stream' && type.startsWith('text/event-stream')))
        return response;
      try {
        const body = await response.clone().text(); // read here, since the connection may break in the body
        if (isAnswer(schemaPath, response, type, body)) return response;
        return asResponse(unexpectedAnswer(response), response.headers);
      } catch (error) {
        return failed(request, error);
      }
    },
  };
}

const exportedTypes = /^(?:application\/(?:octet-stream|zip)|text\/markdown)\b/;

function isAnswer(path: string, { ok }: Response, type: string, body: string): boolean {
  if (ok && type.startsWith('image/')) return true;
  if (ok && path === '/models/{version}/export') return exportedTypes.test(type);
  if (!/^application\/(?:problem\+)?json/.test(type)) return false;
  try {
    const value: unknown = JSON.parse(body);
    return ok || isProblem(value) || path === '/health/ready'; // a 503 with the readiness
  } catch {
    return false;
  }
}

/** Reads the readiness, which the server also sends with its 503. */
export async function getReadiness(
  client: TrainyardClient,
  options: { readonly signal?: AbortSignal } = {},
): Promise<Call<components['schemas']['Readiness']>> {
  const { data, error, response } = await client.GET('/health/ready', options);
  return isProblem(error) ? { error, response } : { data: data ?? error, response };
}

function asResponse(problem: Problem, given?: Headers): Response {
  const headers = new Headers({ 'content-type': 'application/problem+json' });
  const retryAfter = given?.get('retry-after');
  if (retryAfter) headers.set('retry-after', retryAfter);
  return new Response(JSON.stringify(problem), { status: problem.status, headers });
}
