/** What an error of Redis, or of the connection to it, says about Redis. */
import { messageOf, TrainyardError } from '../../lib/errors.ts';

/** Replies that are about the whole server rather than one command. They pass, and a write shows when they have. */
const serverStates = [
  'READONLY', // a replica, after a failover
  'UNBLOCKED', // a blocking call ended since the server became a replica
  'LOADING',
  'MASTERDOWN',
  'NOREPLICAS',
  'MISCONF', // can't save to the disk
  'OOM',
  'BUSY', // a script runs
  'CLUSTERDOWN',
  'TRYAGAIN',
  'NOAUTH',
  'WRONGPASS',
  'ERR max number of clients',
];

/** Within a script, Redis 6 wraps the reply: `ERR Error running script …: -READONLY …`. */
const wrapped = /^ERR Error running script.*?-(?=[A-Z]{3,} )/s;

/** The reply that explains an error. A refused MULTI names its commands' replies beside it. */
export function reasonOf(error: unknown): string {
  const [first] = (error as { previousErrors?: Error[] } | null)?.previousErrors ?? [];
  // ioredis speaks of its options when a connection broke off.
  if (error instanceof Error && error.name === 'MaxRetriesPerRequestError') return 'the connection broke off';
  return messageOf(first ?? error).replace(wrapped, '');
}

/** Redis answered, and refused: `server` every write or command, `command` this one. Null: it did not answer. */
export function refusalOf(error: unknown): 'server' | 'command' | null {
  if (!(error instanceof Error) || error.name !== 'ReplyError') return null;
  const reason = reasonOf(error);
  return serverStates.some((state) => reason.startsWith(state)) ? 'server' : 'command';
}

/** A refusal that kept a connection from being made (a password, a database): without one, nothing works. */
export function asLoss(error: unknown): Error {
  return new Error(reasonOf(error), { cause: error });
}

/** The Redis user may not run the command, or may not use its keys or channels. Within a script Redis has no code for it. */
export function isPermissionMissing(error: unknown): boolean {
  return /^NOPERM|^ERR The user executing the script can't/.test(reasonOf(error));
}

/** An error of this program: neither the connection's, nor a Redis that is loading, full, read-only or strict. */
export function isDefect(error: unknown): boolean {
  if (!(error instanceof Error)) return true;
  if (refusalOf(error) === 'command')
    return reasonOf(error).startsWith('ERR ') && !isPermissionMissing(error);
  return error instanceof TypeError || error instanceof RangeError;
}

/** `next`: what the caller should know and do. */
export function redisUnavailable(error: unknown, next: string): TrainyardError {
  const wanted = refusalOf(error) === null ? 'answer within a second' : 'carry this out';
  const message = `expected Redis to ${wanted}, got: ${reasonOf(error)}; ${next}`;
  return new TrainyardError('REDIS_UNAVAILABLE', message, { cause: error });
}
