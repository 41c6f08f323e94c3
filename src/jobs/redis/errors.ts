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

/**
 * The cause that a reason names: `away` without an answer, else the code of the reply. Replies to one failover, and the
 * two wordings of a missing permission, are one cause.
 */
export function causeOf(reason: string): string {
  if (isPermissionMissing(reason)) return 'NOPERM';
  if (/^(READONLY|UNBLOCKED|MASTERDOWN) /.test(reason)) return 'READONLY';
  if (reason.startsWith('ERR max number of clients')) return 'MAXCLIENTS';
  return /^([A-Z]{3,}) /.exec(reason)?.[1] ?? 'away';
}

/** Only says that there is no connection, or that a blocking call was ended, not why. */
export function isConsequence(reason: string): boolean {
  return /^(UNBLOCKED |Stream isn't writeable|Connection is closed|Command aborted|the connection broke off|connection is ")/.test(
    reason,
  );
}

/** What a person has to correct; null when the cause passes by itself or is not known. */
export function remedyOf(reason: string): string | null {
  const cause = causeOf(reason);
  if (cause === 'WRONGPASS' || cause === 'NOAUTH') return 'correct the user and the password in REDIS_URL';
  if (reason.startsWith('ERR DB index')) return 'correct the database in REDIS_URL';
  if (cause !== 'NOPERM') return null;
  const [, command] = /the '([^']+)' command/.exec(reason) ?? [];
  if (command !== undefined) return `grant the Redis user +${command}`;
  if (/channel/.test(reason)) return 'grant the Redis user its channels (&*)';
  if (/key/.test(reason)) return 'grant the Redis user its keys (~*)';
  return 'grant the Redis user the commands that its scripts run (+@all)';
}

/** Tells people that an optional part does not work, and how to mend it. */
export function describePartRefused(part: string, reason: string): string {
  const remedy = remedyOf(reason);
  return `Redis refuses a command for: ${part}; the rest works${remedy ? `; ${remedy}` : ''}`;
}

/** An error in this program, rather than in the connection or in the state or permissions of Redis. */
export function isDefect(error: unknown): boolean {
  if (!(error instanceof Error)) return true;
  if (refusalOf(error) === 'command')
    return reasonOf(error).startsWith('ERR ') && !isPermissionMissing(error);
  return error instanceof TypeError || error instanceof RangeError;
}

/** What a caller is told after a failed call. */
export type Advice = {
  /** What may have happened to the call's effect. */
  readonly outcome?: string;
  /** What to do, unless the cause needs a correction. */
  readonly next: string;
};

export function redisUnavailable(error: unknown, { outcome, next }: Advice): TrainyardError {
  const reason = reasonOf(error);
  const wanted = causeOf(reason) === 'away' ? 'answer in time' : 'carry this out';
  const advice = [outcome, remedyOf(reason) ?? next].filter((part) => part !== undefined);
  const message = `expected Redis to ${wanted}, got: ${reason}; ${advice.join('; ')}`;
  return new TrainyardError('REDIS_UNAVAILABLE', message, { cause: error });
}
