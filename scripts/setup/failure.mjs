/** What stops set-up: shown as it is, without a stack. The message says what was expected, what came and what to do next. */
export class SetupFailure extends Error {}

/** For `catch`: a SetupFailure becomes a value, anything else is thrown again. @param {unknown} error */
export function asFailure(error) {
  if (error instanceof SetupFailure) return error;
  throw error;
}

/** Ctrl-C, or a request to end; the message is the signal's name. */
export class SetupStopped extends Error {}

/** @param {string} text */
export const indent = (text) => text.replaceAll(/^(?=.)/gm, '    ');
