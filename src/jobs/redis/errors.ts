/** Classifies errors of Redis and of the connection to it. */
import { messageOf, TrainyardError } from '../../lib/errors.ts';

/** Error replies that concern the whole server rather than one command. They are over when a write succeeds. */
const serverStates = [
  'READONLY', // a replica, after a failover
  'UNBLOCKED', // a blocking call ended because the server became a replica
  'LOADING',
  'MASTERDOWN',
  'NOREPLICAS',
  'MISCONF', // it can't save to disk
  'OOM',
  'BUSY', // a script is running
  'CLUSTERDOWN',
  'TRYAGAIN',
  'NOAUTH',
  'WRONGPASS',
  'ERR max number of clients',
];

/** Redis 6 wraps a reply to a command within a script: `ERR Error running script …: -READONLY …`. */
const wrapped = /^ERR Error running script.*?-(?=[A-Z]{3,} )/s;

/** The reply that explains an error. The error of a refused MULTI carries the replies to its commands. */
export function reasonOf(error: unknown): string {
  const [first] = (error as { previousErrors?: Error[] } | null)?.previousErrors ?? [];
  // The message of ioredis only names its own option.
  if (error instanceof Error && error.name === 'MaxRetriesPerRequestError') return 'the connection broke off';
  return messageOf(first ?? error).replace(wrapped, '');
}

/** What Redis refused: `server` every write or command, `command` only this one. Null when it did not answer. */
export function refusalOf(error: unknown): 'server' | 'command' | null {
  if (!(error instanceof Error) || error.name !== 'ReplyError') return null;
  const reason = reasonOf(error);
  return serverStates.some((state) => reason.startsWith(state)) ? 'server' : 'command';
}

/** The error of a refused connection (wrong password, missing database) as a loss of Redis: nothing works without it. */
export function asLoss(error: unknown): Error {
  return new Error(reasonOf(error), { cause: error });
}

/** The Redis user may not run the command or use its keys or channels. Within a script the reply has no code. */
export function isPermissionMissing(error: unknown): boolean {
  return /^NOPERM|^ERR The user executing the script can't/.test(reasonOf(error));
}

/** An error in this program, rather than in the connection or in the state or permissions of Redis. */
export function isDefect(error: unknown): boolean {
  if (!(error instanceof Error)) return true;
  if (refusalOf(error) === 'command')
    return reasonOf(error).startsWith('ERR ') && !isPermissionMissing(error);
  return error instanceof TypeError || error instanceof RangeError;
}

/** `next` tells the caller what may have happened and what to do. */
export function redisUnavailable(error: unknown, next: string): TrainyardError {
  const wanted = refusalOf(error) === null ? 'answer within a second' : 'carry this out';
  const message = `expected Redis to ${wanted}, got: ${reasonOf(error)}; ${next}`;
  return new TrainyardError('REDIS_UNAVAILABLE', message, { cause: error });
}
