/** The npm packages of the lock file. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from './cache.mjs';
import { runOrFail, SetupError } from './step.mjs';

export const root = join(import.meta.dirname, '../..');
const stampPath = join(root, 'node_modules', '.trainyard-packages');

/** @throws SetupError on a Node older than 20.19 */
export function checkNode(version) {
  const [major, minor] = version.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  throw new SetupError(`expected Node 20.19 or newer, got ${version}; install a current one from nodejs.org`);
}

/** Runs `npm ci` unless the packages that are there were installed from this very lock file. */
export async function installPackages(cache, progress) {
  const wanted = `${await sha256(join(root, 'package-lock.json'))} ${process.platform} ${process.arch}`;
  const present = await readFile(stampPath, 'utf8').catch(() => null);
  if (present === wanted) return 'in place';
  progress('npm ci');
  const args = ['ci', '--no-audit', '--no-fund', '--cache', join(cache, 'npm')];
  await runOrFail(`npm ${args.join(' ')}`, 'npm', args, { cwd: root });
  await writeFile(stampPath, wanted);
  return 'installed from the lock file';
}
