/** Where downloads and builds are kept between installs; and files that are known to be whole. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';

export function cacheDirectory(environment = process.env) {
  if (environment.TRAINYARD_CACHE) return resolve(environment.TRAINYARD_CACHE);
  return join(environment.XDG_CACHE_HOME || join(homedir(), '.cache'), 'trainyard');
}

export async function sha256(path) {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** Writes `seal.json`: the SHA-256, size and time of every file below `directory`. */
export async function seal(directory) {
  const files = {};
  for (const path of await filesBelow(directory)) {
    const { size, mtimeMs } = await stat(join(directory, path));
    files[path] = { sha256: await sha256(join(directory, path)), size, mtimeMs };
  }
  await writeFile(join(directory, 'seal.json'), JSON.stringify(files, null, 2));
}

/**
 * Whether every sealed file is as it was: by size and time, which takes no time, and by its hash where
 * the time differs.
 */
export async function isWhole(directory) {
  const text = await readFile(join(directory, 'seal.json'), 'utf8').catch(() => null);
  if (text === null) return false;
  for (const [path, sealed] of Object.entries(JSON.parse(text))) {
    const now = await stat(join(directory, path)).catch(() => null);
    if (!now || now.size !== sealed.size) return false;
    if (now.mtimeMs !== sealed.mtimeMs && (await sha256(join(directory, path))) !== sealed.sha256)
      return false;
  }
  return true;
}

/** The sum of the sizes of all files below, in MB. */
export async function megabytesBelow(directory) {
  let bytes = 0;
  for (const path of await filesBelow(directory).catch(() => [])) {
    bytes += (await stat(join(directory, path)).catch(() => ({ size: 0 }))).size;
  }
  return bytes / 1e6;
}

async function filesBelow(directory) {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name !== 'seal.json')
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(directory.length + 1));
}
