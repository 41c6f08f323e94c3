/** Which versions stay: the newest, the best, and the one that is served. */
import { randomUUID } from 'node:crypto';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isCode } from '../../lib/files.ts';
import { readManifest } from './read-version.ts';
import { listVersions } from './version-numbers.ts';

/** A version that is being deleted. The name hides it first, so that no reader sees a half of it. */
export const removedPrefix = '.removed-';

/** Test accuracy by version. A manifest never changes, so each is read once in a process. */
export type Accuracies = Map<number, number>;

/**
 * Deletes all versions but the newest `keep`, the best by test accuracy, and `served`. One whose
 * manifest can't be read is left alone. Returns what was deleted, newest first.
 */
export async function retain(
  root: string,
  keep: number,
  served: number,
  accuracies: Accuracies,
): Promise<number[]> {
  const versions = await listVersions(root);
  const old = versions.slice(keep).filter((version) => version !== served);
  if (old.length === 0) return [];
  const best = await findBest(root, versions, accuracies);
  const removed: number[] = [];
  for (const version of old) {
    if (version === best || !accuracies.has(version)) continue;
    if (await remove(root, version)) removed.push(version);
    accuracies.delete(version);
  }
  return removed;
}

/** Of equals, the newest. */
async function findBest(root: string, versions: number[], accuracies: Accuracies): Promise<number | null> {
  let best: number | null = null;
  for (const version of versions) {
    const accuracy = accuracies.get(version) ?? (await readAccuracy(root, version));
    if (accuracy === null) continue;
    accuracies.set(version, accuracy);
    if (best === null || accuracy > accuracies.get(best)!) best = version;
  }
  return best;
}

async function readAccuracy(root: string, version: number): Promise<number | null> {
  const manifest = await readManifest(root, version).catch(() => null);
  return manifest && manifest.metrics.testAccuracy;
}

/** Whether there was one to remove. */
async function remove(root: string, version: number): Promise<boolean> {
  const hidden = join(root, `${removedPrefix}${version}-${randomUUID()}`);
  try {
    await rename(join(root, String(version)), hidden);
  } catch (error) {
    if (isCode(error, 'ENOENT')) return false; // another server was faster
    throw error;
  }
  await rm(hidden, { recursive: true, force: true });
  return true;
}
