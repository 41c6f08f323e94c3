/** Services whose jobs last without computing all the time, so that the tests beside them have the cores. */

/** Environment of a service whose trainers pause after each step. */
export function pausing(stepPauseMs: number): NodeJS.ProcessEnv {
  const preload = `--import=${new URL('pausing.mjs', import.meta.url).href}`;
  const options = [process.env['NODE_OPTIONS'], preload].filter(Boolean).join(' ');
  return { NODE_OPTIONS: options, TEST_STEP_PAUSE_MS: String(stepPauseMs) };
}
