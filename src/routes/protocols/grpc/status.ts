/** Errors as gRPC has them: a status, its details, and what else a client may need in the metadata. */
import { Metadata, type ServerInterceptingCallInterface, type StatusObject, status } from '@grpc/grpc-js';
import { startOfText } from '../../../lib/start-of-text.ts';
import { HttpProblem } from '../../http/problem.ts';

type SentStatus = Parameters<ServerInterceptingCallInterface['sendStatus']>[0];

const mostDetails = 2000; // characters; headers are limited, and an escaped one takes nine bytes

const codes: Readonly<Record<number, status>> = {
  401: status.UNAUTHENTICATED,
  403: status.PERMISSION_DENIED,
  404: status.NOT_FOUND,
  408: status.DEADLINE_EXCEEDED,
  409: status.FAILED_PRECONDITION,
  413: status.RESOURCE_EXHAUSTED,
  429: status.RESOURCE_EXHAUSTED,
  499: status.CANCELLED,
  500: status.INTERNAL,
  503: status.UNAVAILABLE,
};

/** `error-code` has the stable code of the problem, `retry-after` the seconds to wait. */
export function statusOf({ options }: HttpProblem): StatusObject {
  const { status: http, code, detail, retryAfterSeconds } = options;
  const metadata = new Metadata();
  metadata.set('error-code', code);
  if (retryAfterSeconds !== undefined) metadata.set('retry-after', String(retryAfterSeconds));
  const isFull = code === 'OVERLOADED'; // HTTP has one status for it and for a service that is away
  const grpc = isFull ? status.RESOURCE_EXHAUSTED : (codes[http] ?? status.INVALID_ARGUMENT);
  return { code: grpc, details: startOfText(detail, mostDetails), metadata };
}

/** By the beginning of their details: what grpc-js calls a fault of the server, though the client has made it. */
const faultsOfClients: readonly [details: string, expected: string][] = [
  ['Failed to decompress message', 'expected a message compressed as grpc-encoding says, got damaged bytes'],
  [
    'Invalid grpc-timeout value',
    'expected grpc-timeout as up to eight digits and a unit of H, M, S, m, u or n',
  ],
];

/** The status as it is, or INVALID_ARGUMENT in place of INTERNAL where grpc-js refuses what a client has sent. */
export function repairedStatus(given: SentStatus): SentStatus {
  const [, expected] = faultsOfClients.find(([details]) => given.details?.startsWith(details)) ?? [];
  if (expected === undefined || given.code !== status.INTERNAL) return given;
  return statusOf(new HttpProblem({ status: 400, code: 'BAD_REQUEST', detail: expected }));
}

/** For an error that is a fault of this program. */
export function failure(): HttpProblem {
  const detail =
    'the server failed on this call; its log has the cause under the x-request-id of the metadata';
  return new HttpProblem({ status: 500, code: 'INTERNAL', detail });
}
