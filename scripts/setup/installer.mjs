/**
 * The package's own install script, for where there is no wheel: it downloads libtensorflow 2.9.1 and a prebuilt
 * binding, or compiles one with node-gyp.
 */
import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { packageDirectory, parts, unplace } from './binding.mjs';
import { runOrFail } from './command.mjs';

/** @type {(context: import('./main.mjs').Context, directory: string) => Promise<void>} takes over what it has made */
export async function fillFromInstaller({ root, env, signal, doing }, directory) {
  const cwd = packageDirectory(root);
  unplace(root); // the installer writes into its package, and would write through the links
  doing("the package's own installer");
  const PATH = [join(root, 'node_modules/.bin'), env['PATH']].join(delimiter);
  const args = ['scripts/install.js', 'gpu', 'download'];
  const options = { cwd, env: { ...env, PATH }, signal, timeoutMs: 15 * 60_000 }; // its download has no limit
  const copied = { recursive: true, verbatimSymlinks: true };
  await runOrFail("the package's own installer to work", process.execPath, args, options);
  for (const name of parts) cpSync(join(cwd, name), join(directory, name), copied);
  rmSync(join(directory, 'deps/include'), { recursive: true, force: true });
  writeFileSync(join(directory, 'deps/variant'), 'stock');
}
