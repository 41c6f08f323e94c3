/** The retention rule: the newest versions, the best one of each model, and those in use stay; all others are deleted. */
import { randomUUID } from 'node:crypto';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isCode } from '../../lib/files.ts';
import { modelOf } from './manifest.ts';
import { readManifest } from './read-version.ts';
import { listVersions } from './version-numbers.ts';

/** Marks a version that is being deleted. It is renamed first, so that no reader sees half a version. */
export const removedPrefix = '.removed-';

/** Model and test accuracy by version. A manifest never changes, so a process reads each one once. */
export type Accuracies = Map<number, { readonly model: string; readonly accuracy: number }>;

/**
 * Deletes all versions except the newest `keep` of each model, its best by test accuracy, and `spared`. A version whose
 * manifest can't be read is left alone. Returns the deleted versions, newest first.
 */
export async function retain(
  root: string,
  keep: number,
  spared: ReadonlySet<number>,
  accuracies: Accuracies,
): Promise<number[]> {
  const versions = await listVersions(root);
  if (versions.length <= keep) return [];
  const removed: number[] = [];
  for (const ofModel of (await byModel(root, versions, accuracies)).values()) {
    const best = bestOf(ofModel, accuracies);
    for (const version of ofModel.slice(keep)) {
      if (version === best || spared.has(version)) continue;
      if (await remove(root, version)) removed.push(version);
      accuracies.delete(version);
    }
  }
  return removed.toSorted((a, b) => b - a);
}

/** The versions of each model, newest first. */
async function byModel(
  root: string,
  versions: readonly number[],
  accuracies: Accuracies,
): Promise<Map<string, number[]>> {
  const models = new Map<string, number[]>();
  for (const version of versions) {
    const known = accuracies.get(version) ?? (await readAccuracy(root, version));
    if (!known) continue;
    accuracies.set(version, known);
    models.set(known.model, [...(models.get(known.model) ?? []), version]);
  }
  return models;
}

/** The version with the highest test accuracy; of equals, the newest. */
function bestOf(versions: readonly number[], accuracies: Accuracies): number {
  return versions.reduce((best, version) =>
    accuracies.get(version)!.accuracy > accuracies.get(best)!.accuracy ? version : best,
  );
}

async function readAccuracy(root: string, version: number) {
  const manifest = await readManifest(root, version).catch(() => null);
  return manifest && { model: modelOf(manifest), accuracy: manifest.metrics.testAccuracy };
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
