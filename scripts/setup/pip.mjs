/** Files of Python packages, fetched by pip for whatever Python is here: from a directory of wheels, or from its index. */
import { existsSync, readdirSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { bytesUnder } from './cache.mjs';
import { run } from './command.mjs';

const stalledAfterMs = 30_000;
const withinMs = 60 * 60_000;
const tags = [
  '--python-version',
  '3.11',
  '--implementation',
  'cp',
  '--platform',
  'manylinux_2_27_x86_64',
].concat(
  ['manylinux_2_17_x86_64', 'manylinux2014_x86_64', 'manylinux1_x86_64'].flatMap((tag) => [
    '--platform',
    tag,
  ]),
);

/**
 * From docker/wheels, or TRAINYARD_WHEELS, where that holds all of them; else from pip's index.
 *
 * @param {import('./main.mjs').Context} context
 * @param {string} python
 * @param {string[]} requirements
 * @param {string} directory
 * @returns {Promise<{ ok: true, paths: [string, ...string[]] } | { ok: false, message: string }>}
 */
export async function fetchFiles({ root, env, signal }, python, requirements, directory) {
  await mkdir(directory, { recursive: true });
  const what = [...requirements, '--no-deps', '--only-binary=:all:', ...tags, '-d', directory];
  const how = ['--no-cache-dir', '--timeout', '15', '--retries', '1', '--progress-bar', 'off', '--quiet'];
  const bytes = () => bytesUnder(directory);
  const pip = (/** @type {string[]} */ ...from) =>
    run(python, ['-m', 'pip', 'download', ...what, ...how, ...from], {
      env: { ...env, TMPDIR: directory }, // pip downloads there before it moves
      signal,
      timeoutMs: withinMs,
      growth: { bytes, withinMs: stalledAfterMs },
    });
  const local = env['TRAINYARD_WHEELS'] || join(root, 'docker/wheels');
  const hasLocal = existsSync(local) && readdirSync(local).some((name) => name.endsWith('.whl'));
  const fromLocal = hasLocal ? await pip('--no-index', '--find-links', local) : null;
  const result = fromLocal?.ok ? fromLocal : await pip();
  const names = requirements.join(' ');
  if (!result.ok) {
    const first = fromLocal && !fromLocal.ok ? `not from ${local}, where ${fromLocal.message}\nand ` : '';
    return { ok: false, message: `expected pip to fetch ${names}, but ${first}${result.message}` };
  }
  const [first, ...others] = readdirSync(directory).filter((entry) => entry.endsWith('.whl'));
  if (!first) return { ok: false, message: `expected pip to leave a wheel of ${names}, it left none` };
  return { ok: true, paths: [join(directory, first), ...others.map((name) => join(directory, name))] };
}
