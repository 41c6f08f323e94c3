/**
 * Directories that are whole or not there: filled beside their place, renamed into it, with a manifest by which
 * damage is noticed later.
 */
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, lstatSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/**
 * @typedef {{ path: string, bytes: number, mtimeMs: number, sha256: string }} KeptFile path within the directory
 * @typedef {{ files: KeptFile[] }} Manifest links are not in it
 * @typedef {{ state: 'whole', manifest: Manifest } | { state: 'absent' } | { state: 'damaged', message: string }} Found
 */

const manifestName = 'manifest.json';
const abandonedAfterMs = 24 * 3600 * 1000;

/**
 * Compares a directory with its manifest: size and time of each file, and the SHA-256 of those where the time
 * differs, or of all when `full`.
 *
 * @param {string} directory
 * @param {{ full: boolean, signal: AbortSignal }} options
 * @returns {Promise<Found>}
 */
export async function checkKept(directory, { full, signal }) {
  if (!existsSync(directory)) return { state: 'absent' };
  const manifest = readManifest(directory);
  if (manifest === null) return { state: 'damaged', message: `${manifestName} is missing or torn` };
  let touched = false;
  for (const file of manifest.files) {
    const { path, bytes, mtimeMs, sha256 } = file;
    const found = statSync(join(directory, path), { throwIfNoEntry: false });
    if (!found) return { state: 'damaged', message: `${path} is missing` };
    if (found.size !== bytes) {
      return { state: 'damaged', message: `expected ${path} to have ${bytes} bytes, it has ${found.size}` };
    }
    if (!full && found.mtimeMs === mtimeMs) continue;
    if ((await sha256Of(join(directory, path), signal)) !== sha256) {
      return { state: 'damaged', message: `${path} is not what was written (SHA-256)` };
    }
    touched ||= found.mtimeMs !== mtimeMs;
    file.mtimeMs = found.mtimeMs;
  }
  if (touched) await writeManifest(directory, manifest); // the next check is a cheap one again
  return { state: 'whole', manifest };
}

/**
 * Fills a directory and puts it in its place. What was there is replaced, unless another process has put a
 * whole one there in the meantime: then that one stays.
 *
 * @template {{ ok: boolean }} R
 * @param {string} directory
 * @param {AbortSignal} signal
 * @param {(directory: string) => Promise<R>} fill
 * @returns {Promise<R>} what `fill` says; only `ok: true` is kept
 */
export async function keep(directory, signal, fill) {
  const parent = dirname(directory);
  await mkdir(parent, { recursive: true });
  await removeAbandoned(parent);
  const fresh = await mkdtemp(join(parent, '.new-'));
  try {
    const result = await fill(fresh);
    if (!result.ok) return result;
    await writeManifest(fresh, await describe(fresh, signal));
    await putInPlace(fresh, directory, signal);
    return result;
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

/**
 * @param {string} fresh
 * @param {string} directory
 * @param {AbortSignal} signal
 */
async function putInPlace(fresh, directory, signal) {
  for (;;) {
    try {
      await rename(fresh, directory);
      return;
    } catch (error) {
      const { code } = /** @type {NodeJS.ErrnoException} */ (error);
      if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
    }
    const { state } = await checkKept(directory, { full: false, signal });
    if (state === 'whole') return;
    if (state === 'damaged') await remove(directory);
  }
}

/**
 * Removes a directory; nobody sees a part of it meanwhile.
 *
 * @param {string} directory
 */
export async function remove(directory) {
  const aside = await mkdtemp(join(dirname(directory), '.old-'));
  try {
    await rename(directory, join(aside, basename(directory)));
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ENOENT') throw error;
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

/**
 * What a killed set-up has left; a younger one may be at work.
 *
 * @param {string} parent
 */
async function removeAbandoned(parent) {
  for (const name of readdirSync(parent)) {
    if (!name.startsWith('.new-') && !name.startsWith('.old-')) continue;
    const path = join(parent, name);
    const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age > abandonedAfterMs) await rm(path, { recursive: true, force: true });
  }
}

/**
 * @param {string} directory
 * @param {AbortSignal} signal
 * @returns {Promise<Manifest>}
 */
async function describe(directory, signal) {
  const files = [];
  for (const path of readdirSync(directory, { recursive: true, encoding: 'utf8' }).toSorted()) {
    const found = lstatSync(join(directory, path));
    if (!found.isFile()) continue;
    const sha256 = await sha256Of(join(directory, path), signal);
    files.push({ path, bytes: found.size, mtimeMs: found.mtimeMs, sha256 });
  }
  return { files };
}

/**
 * @param {string} directory
 * @returns {Manifest | null}
 */
function readManifest(directory) {
  try {
    const manifest = JSON.parse(readFileSync(join(directory, manifestName), 'utf8'));
    return Array.isArray(manifest.files) ? manifest : null;
  } catch {
    return null;
  }
}

/**
 * @param {string} directory
 * @param {Manifest} manifest
 */
async function writeManifest(directory, manifest) {
  const path = join(directory, manifestName);
  await writeFile(`${path}.${process.pid}`, JSON.stringify(manifest, null, 2));
  await rename(`${path}.${process.pid}`, path);
}

/**
 * @param {string} path
 * @param {AbortSignal} signal
 * @returns {Promise<string>} in hex
 * @throws the signal's reason
 */
export async function sha256Of(path, signal) {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    signal.throwIfAborted();
    hash.update(chunk);
  }
  return hash.digest('hex');
}

/**
 * All bytes under a directory that others are writing to.
 *
 * @param {string} directory
 */
export function bytesUnder(directory) {
  let bytes = 0;
  for (const name of namesUnder(directory)) {
    const found = lstatSync(join(directory, name), { throwIfNoEntry: false });
    if (found?.isFile()) bytes += found.size;
  }
  return bytes;
}

/** @param {string} directory */
function namesUnder(directory) {
  try {
    return readdirSync(directory, { recursive: true, encoding: 'utf8' });
  } catch {
    return []; // a directory went while it was read
  }
}
