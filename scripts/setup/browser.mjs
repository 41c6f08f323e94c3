/** A Chromium for the tests of the page: found on the PATH or installed. Without one set-up goes on, and those tests say so. */
import { findCommand, run } from './command.mjs';
import { aptInstall, installCommand, mayInstall } from './system.mjs';

/** The headless shell takes a third of the processor time of the others. */
const names = [
  'chromium-headless-shell',
  'chromium',
  'chromium-browser',
  'google-chrome-stable',
  'google-chrome',
];

/** @type {import('./main.mjs').Step} */
export const browser = {
  title: 'Chromium',
  async check({ env, signal }) {
    const path = findCommand(env, ...names);
    if (path === null) return null;
    const result = await run(path, ['--version'], { signal, timeoutMs: 30_000 }); // the first start, on a slow disk
    const version = result.ok ? /\d+(?:\.\d+)+/.exec(result.stdout)?.[0] : undefined;
    return version ? { mark: '✓', text: `Chromium ${version}` } : null; // Ubuntu's may be a note that it is a snap
  },
  async make(context) {
    const { system } = context;
    let reason = `none is on the PATH; ${installCommand(system, ['browser'])}`;
    if (mayInstall(system) && !system.ids.includes('ubuntu')) {
      const result = await aptInstall(context, ['browser']);
      reason = result.ok ? 'it does not say its version' : result.message;
    }
    const without = `no Chromium, so the page is not tested: ${reason}`;
    return (await browser.check(context)) ?? { mark: '!', text: without };
  },
};
