/**
 * The package's own install script, for where there is no wheel: it downloads libtensorflow 2.9.1 and a prebuilt
 * binding, or compiles one with node-gyp.
 */
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { bindingName, bindingPath, packageDirectory, unplace } from './binding.mjs';
import { bytesUnder } from './cache.mjs';
import { run } from './command.mjs';

const stalledAfterMs = 60_000; // it says nothing while node-gyp works, and its download has no limit
const withinMs = 15 * 60_000;

/**
 * Runs the installer, which writes into its package, and takes over what it has made.
 *
 * @param {import('./main.mjs').Context} context
 * @param {import('./report.mjs').Activity} activity
 * @param {string} directory gets deps/ and the binding
 * @returns {Promise<{ ok: true } | { ok: false, message: string }>}
 */
export async function fillFromInstaller({ root, env, signal }, activity, directory) {
  const cwd = packageDirectory(root);
  unplace(root); // it would write through the link
  const bytes = () => bytesUnder(cwd);
  activity.doing({ name: "the package's own installer" });
  const path = [join(root, 'node_modules/.bin'), env['PATH']].join(delimiter);
  try {
    const result = await run(process.execPath, ['scripts/install.js', 'gpu', 'download'], {
      cwd,
      env: { ...env, PATH: path },
      signal,
      timeoutMs: withinMs,
      growth: { bytes, withinMs: stalledAfterMs },
    });
    if (!result.ok) {
      return { ok: false, message: `expected the package's own installer to work, but ${result.message}` };
    }
    mkdirSync(join(directory, 'deps'));
    cpSync(join(cwd, 'deps'), join(directory, 'deps'), { recursive: true, verbatimSymlinks: true });
    writeFileSync(join(directory, 'deps/variant'), 'stock');
    await copyFile(bindingPath(root), join(directory, bindingName));
    return { ok: true };
  } finally {
    unplace(root);
  }
}
