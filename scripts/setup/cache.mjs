/**
 * Directories that are whole or not there: filled beside their place and renamed into it, with a manifest by which
 * damage is noticed later.
 */
import { createHash } from 'node:crypto';
import { createReadStream, lstatSync, readdirSync, statSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** @typedef {{ path: string, bytes: number, sha256: string }} KeptFile links are not in the manifest */

const manifestName = 'manifest.json';
const abandonedAfterMs = 24 * 3600 * 1000;

/**
 * What is wrong with a directory, or null: by the size of each file in its manifest and, when `full`, its SHA-256.
 *
 * @type {(directory: string, options: { full: boolean, signal: AbortSignal }) => Promise<string | null>}
 */
export async function damageOf(directory, { full, signal }) {
  const manifest = readFile(join(directory, manifestName), 'utf8').then((text) => JSON.parse(text));
  /** @type {KeptFile[] | null} */
  const files = await manifest.then((value) => value.files).catch(() => null);
  if (!Array.isArray(files)) return `${manifestName} is missing or torn`;
  for (const { path, bytes, sha256 } of files) {
    const found = statSync(join(directory, path), { throwIfNoEntry: false });
    if (!found) return `${path} is missing`;
    if (found.size !== bytes) return `expected ${path} to have ${bytes} bytes, it has ${found.size}`;
    if (!full || (await sha256Of(join(directory, path), signal)) === sha256) continue;
    return `${path} is not what was written (SHA-256)`;
  }
  return null;
}

/**
 * Fills a directory and puts it in its place. A whole one that is there by then stays, a damaged one is replaced.
 *
 * @type {(directory: string, signal: AbortSignal, fill: (to: string) => Promise<unknown>) => Promise<void>}
 * @throws what `fill` throws; nothing is left then
 */
export async function keep(directory, signal, fill) {
  const parent = dirname(directory);
  await mkdir(parent, { recursive: true });
  await removeAbandoned(parent);
  const fresh = await mkdtemp(join(parent, '.new-'));
  try {
    await fill(fresh);
    const files = [];
    for (const path of readdirSync(fresh, { recursive: true, encoding: 'utf8' }).toSorted()) {
      const found = lstatSync(join(fresh, path));
      const sha256 = found.isFile() ? await sha256Of(join(fresh, path), signal) : null;
      if (sha256 !== null) files.push({ path, bytes: found.size, sha256 });
    }
    await writeFile(join(fresh, manifestName), JSON.stringify({ files }, null, 2));
    if ((await damageOf(directory, { full: false, signal })) === null) return;
    await rm(directory, { recursive: true, force: true });
    await rename(fresh, directory);
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

/** @param {string} parent loses what a killed set-up has left; younger directories may be in use */
async function removeAbandoned(parent) {
  for (const path of readdirSync(parent).map((name) => join(parent, name))) {
    if (!path.startsWith(join(parent, '.new-'))) continue;
    const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age > abandonedAfterMs) await rm(path, { recursive: true, force: true });
  }
}

/** @type {(path: string, signal: AbortSignal) => Promise<string>} in hex */
export async function sha256Of(path, signal) {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20, signal })) hash.update(chunk);
  return hash.digest('hex');
}
