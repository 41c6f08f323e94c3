/** What stops set-up: shown as it is, without a stack. */

/** The message says what was expected, what came and what to do next. */
export class SetupFailure extends Error {}

/** Ctrl-C, or a request to end. */
export class SetupStopped extends Error {
  /** @param {NodeJS.Signals} signal */
  constructor(signal) {
    super(`stopped by ${signal}`);
    this.signal = signal;
  }
}

/**
 * @param {string} text
 * @param {number} [by] spaces
 */
export function indent(text, by = 4) {
  return text.replaceAll(/^(?=.)/gm, ' '.repeat(by));
}
