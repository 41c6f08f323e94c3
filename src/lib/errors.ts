/**
 * Errors with a stable `code`, for faults. Expected outcomes (an image without ink, a run that collapsed) are typed
 * unions instead.
 */
export class TrainyardError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'TrainyardError';
    this.code = code;
  }
}

/** A command line with a wrong value; the process ends with 2. */
export class WrongCall extends TrainyardError {}

/** For a writer whose staging directory is gone: a later attempt has moved it away. */
export function fencedOff(cause: unknown): TrainyardError {
  const message =
    'expected the directory that this attempt writes in, it was moved away: another attempt has taken over; ' +
    'nothing was published, and there is nothing more to do here';
  return new TrainyardError('FENCED', message, { cause });
}

/** The message of anything that was thrown, for logs and other messages. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
