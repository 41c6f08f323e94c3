/** Errors as RFC 9457 problems: one shape for all of them, with a stable `code`. */
import { STATUS_CODES } from 'node:http';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { TrainyardError } from '../../lib/errors.ts';
import { isCode } from '../../lib/files.ts';
import '../../lib/plain-validation.ts';
import { startOfText } from '../../lib/start-of-text.ts';

export const problemSchema = z
  .object({
    type: z.literal('about:blank'),
    title: z.string().describe('The phrase of the HTTP status'),
    status: z.int(),
    code: z.string().describe('Stable, for programs'),
    detail: z.string().describe('What was expected, what came, what to do next'),
    instance: z.string().describe('The path that was asked for'),
    errors: z.array(z.object({ field: z.string(), message: z.string() })).exactOptional(),
  })
  .meta({ id: 'Problem' });
export type Problem = z.output<typeof problemSchema>;

type ProblemOptions = {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly errors?: Problem['errors'];
  readonly retryAfterSeconds?: number | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  /** More members, where a protocol wants them (RFC 9457, section 3.2). */
  readonly extension?: Readonly<Record<string, string>>;
};

/** An error that a route or hook throws as a problem. All other errors are mapped below. */
export class HttpProblem extends Error {
  readonly options: ProblemOptions;

  constructor(options: ProblemOptions) {
    super(options.detail);
    this.name = 'HttpProblem';
    this.options = options;
  }
}

/** Problem answers for a route's schema: `responses: {200: …, ...problems(400, 404)}`. */
export function problems<Status extends number>(...statuses: Status[]): Record<Status, typeof problemSchema> {
  return Object.fromEntries(statuses.map((status) => [status, problemSchema])) as Record<
    Status,
    typeof problemSchema
  >;
}

export function sendProblem(
  request: FastifyRequest,
  reply: FastifyReply,
  options: ProblemOptions,
): FastifyReply {
  const { status, code, detail, errors, retryAfterSeconds, headers, extension } = options;
  const title = STATUS_CODES[status] ?? 'Error';
  const instance = request.url.split('?')[0]!;
  const problem: Problem = {
    type: 'about:blank',
    title,
    status,
    code,
    detail,
    instance,
    ...(errors && { errors }),
  };
  if (headers) reply.headers(headers);
  if (retryAfterSeconds !== undefined) reply.header('retry-after', String(retryAfterSeconds));
  // Serialised here: problems are also sent for statuses that the route's schema does not list.
  return reply
    .code(status)
    .header('content-type', 'application/problem+json; charset=utf-8')
    .serializer((body: string) => body)
    .send(JSON.stringify({ ...problem, ...extension }));
}

export function handleError(
  error: FastifyError | undefined, // `throw undefined` is possible
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  return sendProblem(request, reply, problemOf(error, request));
}

/** What an error is answered with. It logs an error that is a fault of this program. */
export function problemOf(error: FastifyError | undefined, request: FastifyRequest): ProblemOptions {
  const options = toProblem(error ?? (new Error('undefined was thrown') as FastifyError), request);
  // A 503 is a state, not a fault. The part that is away was logged once, when that was noticed.
  if (options.status >= 500 && options.status !== 503) request.log.error({ err: error }, options.detail);
  return options;
}

export function handleNotFound(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return sendProblem(request, reply, notFound(request));
}

export function notFound(request: FastifyRequest): ProblemOptions {
  const detail = `expected a path that /openapi.json lists, got ${request.url.split('?')[0]}`;
  return { status: 404, code: 'NOT_FOUND', detail };
}

function toProblem(error: FastifyError, request: FastifyRequest): ProblemOptions {
  if (error instanceof HttpProblem) return error.options;
  if (hasZodFastifySchemaValidationErrors(error)) return validationProblem(error, request);
  if (error instanceof TrainyardError && unavailable.has(error.code)) {
    return { status: 503, code: error.code, detail: error.message, retryAfterSeconds: 1 };
  }
  if (isCode(error, 'ENOSPC', 'EDQUOT')) {
    const detail = 'expected room in DATA_DIR, the disk is full; free some';
    return { status: 503, code: 'DISK_FULL', detail, retryAfterSeconds: 10 };
  }
  const known = refusals[error.code];
  if (known) {
    const { what, ...problem } = known;
    return { ...problem, detail: what(request, error) };
  }
  if (error.statusCode !== undefined && error.statusCode < 500) {
    return { status: error.statusCode, code: error.code ?? 'BAD_REQUEST', detail: error.message };
  }
  const detail = `the server failed on this request; its log has the cause under request id ${request.id}`;
  return { status: 500, code: 'INTERNAL', detail };
}

/** What this service can't do until somebody has mended what the message names. */
const unavailable = new Set([
  'REDIS_UNAVAILABLE',
  'REGISTRY_NOT_WRITABLE',
  'CORRECTIONS_UNUSABLE',
  'DECISION_DAMAGED',
  'DATASET_DAMAGED',
  'DECISION_UNREADABLE',
  'DECISION_UNSUPPORTED',
]);

type Refusal = {
  readonly status: number;
  readonly code: string;
  readonly what: (request: FastifyRequest, error: Error) => string;
};

/** Errors of Fastify and its plugins, with our codes and texts. */
const refusals: Record<string, Refusal> = {
  FST_ERR_CTP_BODY_TOO_LARGE: {
    status: 413,
    code: 'BODY_TOO_LARGE',
    what: ({ routeOptions }) => `expected a body of at most ${routeOptions.bodyLimit} bytes, got more`,
  },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    status: 415,
    code: 'MEDIA_TYPE_UNSUPPORTED',
    what: ({ headers }) =>
      `expected no body, or JSON with Content-Type: application/json, got ${headers['content-type'] ?? 'a body without a valid type'}; set that header, or send nothing`,
  },
  FST_ERR_BAD_URL: {
    status: 400,
    code: 'PATH_INVALID',
    what: ({ url }) => `expected a path with valid percent-encoding, got ${startOfText(url, 80)}`,
  },
  FST_STATIC_FORBIDDEN_PATH: {
    status: 404,
    code: 'NOT_FOUND',
    what: ({ url }) =>
      `expected the plain path of a file, without ".." and the like, got ${startOfText(url, 80)}`,
  },
  FST_ERR_MAX_PARAM_LENGTH: {
    status: 414,
    code: 'URL_TOO_LONG',
    what: ({ url }) => `expected a shorter path, got one of ${url.length} characters`,
  },
};

/** A problem that a zod schema has found, as `ZodError` has it. */
type Issue = {
  readonly path: readonly PropertyKey[];
  readonly message?: string;
  readonly keys?: readonly string[]; // unknown ones
  readonly errors?: readonly (readonly Issue[])[]; // of each alternative
};

/** `validation` has the issues as fastify-type-provider-zod writes them. */
function validationProblem(
  error: { validation: readonly unknown[]; validationContext?: string | undefined },
  request: FastifyRequest,
): ProblemOptions {
  const context = error.validationContext ?? 'body';
  const { body, params, query: querystring, headers } = request;
  const source = { body, params, querystring, headers }[context];
  const schema = (request.routeOptions.schema as Record<string, unknown> | undefined)?.[context];
  type Written = { instancePath: string; message?: string; params: Record<string, unknown> };
  const issues = (error.validation as Written[]).map(({ instancePath, params: more, ...issue }) => {
    return { ...more, ...issue, path: instancePath.split('/').filter((part) => part !== '') };
  });
  return invalidProblem(context, issues, schema, source);
}

const maxFields = 20; // that an answer names, so that it is no longer than what came

/** A 400 that names the fields that are wrong, with the values that came. */
export function invalidProblem(
  context: string,
  issues: readonly Issue[],
  schema: unknown,
  source: unknown,
): ProblemOptions {
  const known = schema instanceof z.ZodObject ? `, only ${Object.keys(schema.shape).join(', ')}` : '';
  const errors = issues
    .flatMap(closestAlternative)
    .flatMap((issue) => describeIssue(issue, known, source))
    .slice(0, maxFields);
  const fields = errors.map(({ field, message }) => `${field}: ${message}`).join('; ');
  return { status: 400, code: 'VALIDATION_FAILED', detail: `in the request's ${context}: ${fields}`, errors };
}

/** Where several forms are allowed: the issues of the one that was meant, which has something wrong inside, if any has. */
function closestAlternative(issue: Issue): readonly Issue[] {
  const meant = issue.errors?.find((issues) => issues.every(({ path, keys }) => path.length > 0 || keys));
  if (!meant) return [issue];
  return meant.flatMap((inner) => closestAlternative({ ...inner, path: [...issue.path, ...inner.path] }));
}

/** The fields that an issue is about. `known` tells the fields of the schema. */
function describeIssue(issue: Issue, known: string, source: unknown): { field: string; message: string }[] {
  const path = issue.path.map(String);
  if (issue.keys) {
    const only = path.length === 0 ? known : '';
    const message = `expected no such field${only}`;
    const keys = issue.keys.slice(0, maxFields).map((key) => startOfText(key, 80));
    return keys.map((key) => ({ field: [...path, key].join('.'), message }));
  }
  const value = path.reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], source);
  const message = `${issue.message ?? 'invalid'}, got ${briefly(value)}`;
  return [{ field: path.join('.') || '(all)', message }];
}

const shown = 80; // characters of a value

function briefly(value: unknown): string {
  const json = JSON.stringify(headOf(value, { left: shown })) as string | undefined;
  return json === undefined ? 'nothing' : startOfText(json, shown);
}

/** Copies as much of a value as can be shown: the whole may be megabytes. Each part takes at least one character. */
function headOf(value: unknown, parts: { left: number }): unknown {
  parts.left -= 1;
  if (typeof value === 'string') return startOfText(value, shown);
  if (typeof value !== 'object' || value === null) return value;
  if (parts.left <= 0) return null;
  if (Array.isArray(value)) return value.slice(0, parts.left).map((each) => headOf(each, parts));
  const keys = Object.keys(value).slice(0, parts.left);
  const held = value as Record<string, unknown>;
  return Object.fromEntries(keys.map((key) => [startOfText(key, shown), headOf(held[key], parts)]));
}
