/** The retention rule: the newest versions, the best one, and the one that is served stay; all others are deleted. */
import { randomUUID } from 'node:crypto';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isCode } from '../../lib/files.ts';
import { readManifest } from './read-version.ts';
import { listVersions } from './version-numbers.ts';

/** Marks a version that is being deleted. It is renamed first, so that no reader sees half a version. */
export const removedPrefix = '.removed-';

/** Test accuracy by version. A manifest never changes, so a process reads each one once. */
export type Accuracies = Map<number, number>;

/**
 * Deletes all versions except the newest `keep`, the best by test accuracy, and `served`. A version whose manifest
 * can't be read is left alone. Returns the deleted versions, newest first.
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

/** The version with the highest test accuracy; of equals, the newest. */
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

/** Returns false if another server has already removed the version. */
async function remove(root: string, version: number): Promise<boolean> {
  const hidden = join(root, `${removedPrefix}${version}-${randomUUID()}`);
  try {
    await rename(join(root, String(version)), hidden);
  } catch (error) {
    if (isCode(error, 'ENOENT')) return false;
    throw error;
  }
  await rm(hidden, { recursive: true, force: true });
  return true;
}
