/** A Chromium for the tests of the page: found on the PATH or installed. Without one set-up goes on, and those tests say so. */
import { findCommand, run } from './command.mjs';
import { aptInstall, installCommand, mayInstall } from './system.mjs';
import { ensure } from './turn.mjs';

const names = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];
const answersWithinMs = 30_000; // at the first start, on a slow disk

/**
 * @param {import('./main.mjs').Context} context
 * @param {import('./report.mjs').Activity} activity
 * @returns {Promise<import('./main.mjs').Outcome>}
 */
export async function provideBrowser(context, activity) {
  return ensure(
    context,
    activity,
    () => findBrowser(context),
    async () => {
      const reason = await installBrowser(context, activity);
      const without = `no Chromium, so the page is not tested: ${reason}`;
      return (await findBrowser(context)) ?? { mark: '!', text: without };
    },
  );
}

/**
 * @param {import('./main.mjs').Context} context
 * @returns {Promise<import('./main.mjs').Outcome | null>}
 */
async function findBrowser({ env, signal }) {
  const path = findCommand(env, ...names);
  if (path === null) return null;
  const result = await run(path, ['--version'], { signal, timeoutMs: answersWithinMs });
  const version = result.ok ? /\d+(?:\.\d+)+/.exec(result.stdout)?.[0] : undefined;
  return version ? { mark: '✓', text: `Chromium ${version}` } : null; // Ubuntu's may be a note that it is a snap
}

/**
 * @param {import('./main.mjs').Context} context
 * @param {import('./report.mjs').Activity} activity
 * @returns why there is none, should there still be none
 */
async function installBrowser(context, activity) {
  const { system } = context;
  const command = installCommand(system, ['browser']);
  if (!mayInstall(system) || system.ids.includes('ubuntu')) return `none is on the PATH; ${command}`;
  activity.doing({ name: 'apt-get install chromium' });
  const result = await aptInstall(context, ['browser']);
  return result.ok ? 'it does not say its version' : result.message;
}
