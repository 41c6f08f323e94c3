/** Publishes a version: writes it to a staging directory, makes it durable, then renames the directory to the version's number. */
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { removeStale, stagingName } from '../../lib/create-directory.ts';
import { fencedOff } from '../../lib/errors.ts';
import { exists, isCode, syncDirectory, writeDurably } from '../../lib/files.ts';
import { sha256Of } from '../../lib/sha256.ts';
import type { ImageForm } from '../data/dataset.ts';
import { normalisationVersion } from '../image/normalisation-version.ts';
import { type Network, parameterCount } from '../network/network.ts';
import type { Correctness } from '../training/correctness.ts';
import { type Evaluation, encodeEvaluation } from '../training/evaluation.ts';
import { type CheckpointFiles, encodeCheckpoint } from './checkpoint.ts';
import { type Manifest, type ManifestContent, type Provenance, sealManifest } from './manifest.ts';
import { removedPrefix } from './retention.ts';
import { claimNumber, nextNumber } from './version-numbers.ts';

export type PublishOptions = {
  /** What the model gets wrong on the test images. */
  readonly evaluation?: Evaluation;
  /** Which test images it reads right; as many as `provenance.test` says. */
  readonly correctness?: Correctness;
  /**
   * An existing directory, on the same file system, in which the version is staged. Once that directory is renamed
   * away, this writer can no longer publish, however far it is.
   */
  readonly stagingRoot?: string;
};

/**
 * Publishes a checkpoint as the next version.
 *
 * @throws TrainyardError `FENCED` when `stagingRoot` was moved away under it
 */
export async function publish(
  root: string,
  network: Network,
  weights: Float32Array,
  provenance: Provenance,
  { evaluation, correctness, stagingRoot = root }: PublishOptions = {},
): Promise<Manifest> {
  await mkdir(root, { recursive: true });
  await removeLeftovers(root);
  const staging = join(stagingRoot, stagingName());
  try {
    await mkdir(staging); // not recursive: a missing `stagingRoot` means that this writer is fenced off
    const files: Files = {
      ...encodeCheckpoint(network, weights),
      ...(evaluation && { 'evaluation.json': encodeEvaluation(evaluation) }),
      ...(correctness && { 'correct.bits': correctness.bits }),
    };
    await Promise.all(Object.entries(files).map(([name, bytes]) => writeDurably(join(staging, name), bytes)));
    const manifest = await becomeVersion(root, staging, describe(network, files, provenance));
    await syncDirectory(root);
    return manifest;
  } catch (error) {
    const fenced = stagingRoot !== root && isCode(error, 'ENOENT') && !(await exists(staging));
    if (fenced) throw fencedOff(error);
    await rm(staging, { recursive: true, force: true });
    throw error;
  }
}

/** Renames `staging` to the next free number; when another writer takes that number, to the one after it. */
async function becomeVersion(
  root: string,
  staging: string,
  description: Omit<ManifestContent, 'version'>,
): Promise<Manifest> {
  for (;;) {
    const { manifest, bytes } = sealManifest({ ...description, version: await nextNumber(root) });
    await writeDurably(join(staging, 'manifest.json'), bytes);
    await syncDirectory(staging);
    // Claimed last, so that a writer that is killed or finds the disk full leaves no gap in the numbers.
    if (!(await claimNumber(root, manifest.version))) continue;
    try {
      await rename(staging, join(root, String(manifest.version)));
      return manifest;
    } catch (error) {
      if (!isCode(error, 'ENOTEMPTY', 'EEXIST')) throw error;
    }
  }
}

/** The files of a version except its manifest. */
type Files = CheckpointFiles & {
  readonly 'evaluation.json'?: Uint8Array;
  readonly 'correct.bits'?: Uint8Array;
};

function describe(network: Network, files: Files, provenance: Provenance): Omit<ManifestContent, 'version'> {
  return {
    format: 1,
    ...provenance,
    createdAt: new Date().toISOString(),
    network: { name: network.name, layers: network.layers.map((layer) => ({ ...layer })) },
    parameters: parameterCount(network),
    input: inputs[provenance.form ?? 'ink'],
    normalisationVersion,
    files: checksums(files),
  };
}

const inputs: Readonly<Record<ImageForm, string>> = {
  ink: 'float32 [N, 28, 28, 1]: grey 0 … 1, white ink on black, centred by mass as in MNIST',
  picture: 'float32 [N, 28, 28, 1]: grey 0 … 1, the whole picture fitted in, its aspect kept',
};

function checksums(files: Files): Manifest['files'] {
  const entries = Object.entries(files).map(([name, bytes]) => {
    return [name, { sha256: sha256Of(bytes), bytes: bytes.byteLength }];
  });
  return Object.fromEntries(entries) as Manifest['files'];
}

/** Deletes what killed writers and removers left behind. Errors are ignored: the next writer tries again. */
async function removeLeftovers(root: string): Promise<void> {
  await removeStale(root).catch(() => {});
  for (const name of await readdir(root))
    if (name.startsWith(removedPrefix))
      await rm(join(root, name), { recursive: true, force: true }).catch(() => {});
}
