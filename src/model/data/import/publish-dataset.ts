/** Writes a data set and publishes it under its name, whole or not at all. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { moveDirectory } from '../../../lib/create-directory.ts';
import { writeDurably } from '../../../lib/files.ts';
import { datasetsRoot, manifestFile, openDatasets, picturesFile } from '../imported/datasets.ts';
import { type ImportedManifest, type ManifestContent, sealManifest } from '../imported/manifest.ts';
import { leastBytes, writePictures } from '../imported/pictures-file.ts';
import type { Chosen } from './choose-pictures.ts';
import { type Refusal, refuse } from './problem.ts';
import type { Scratch } from './scratch.ts';
import type { Slots } from './slots.ts';

export type Described = Pick<ManifestContent, 'name' | 'form' | 'seed' | 'report' | 'source'> & {
  readonly dataDir: string;
  readonly staging: string;
  readonly allBytes?: number;
  readonly signal?: AbortSignal;
};

/**
 * An earlier attempt at the same import may have published the set and died before it could say so: then that one counts.
 *
 * @throws the signal's reason; the file system's error
 */
export async function publishDataset(
  described: Described,
  chosen: Chosen,
  slots: Slots,
  scratch: Scratch,
): Promise<{ readonly ok: true; readonly manifest: ImportedManifest } | Refusal> {
  const { dataDir, staging, name, signal } = described;
  const directory = join(staging, 'dataset');
  await rm(directory, { recursive: true, force: true }); // of an attempt that was killed
  await mkdir(directory);
  const order = [...chosen.train, ...chosen.test];
  const full = await refuseBeyond(described, leastBytes(order.length)); // before the disk is filled in vain
  if (full) return full;
  const written = await writePictures(
    join(directory, picturesFile),
    {
      train: chosen.train.length,
      count: order.length,
      greys: (place, target) => scratch.read(order[place]!, target),
      label: (place) => chosen.labelOf(order[place]!),
      hash: (place) => chosen.hashes.subarray(order[place]! * 32, order[place]! * 32 + 32),
      name: (place) => slots.nameOf(order[place]!),
    },
    signal,
  );
  const { manifest, bytes } = sealManifest(contentOf(described, chosen, written));
  const tooMuch = await refuseBeyond(described, written.pictures.bytes + bytes.length);
  if (tooMuch) return tooMuch;
  await writeDurably(join(directory, manifestFile), bytes);
  await mkdir(datasetsRoot(dataDir), { recursive: true });
  if (await moveDirectory(directory, datasetsRoot(dataDir), name)) return { ok: true, manifest };
  const present = await openDatasets(dataDir).manifest(name);
  const isOurs =
    present?.source.sha256 === manifest.source.sha256 && present.pictures.sha256 === manifest.pictures.sha256;
  if (isOurs) return { ok: true, manifest: present };
  const message = `expected a name that is free, got "${name}", which another data set has; choose another name or delete that one`;
  return refuse('DATASET_NAME_TAKEN', message);
}

/** Null where a set of so many bytes fits beside the others, or has been published by an earlier attempt. */
async function refuseBeyond(
  { dataDir, name, allBytes = Infinity }: Described,
  bytes: number,
): Promise<Refusal | null> {
  const datasets = openDatasets(dataDir);
  const used = await datasets.bytes();
  if (used + bytes <= allBytes || (await datasets.manifest(name))) return null;
  const message = `expected all data sets to take at most ${allBytes} bytes, got ${bytes} or more with the ${used} bytes that are there; delete some with DELETE /datasets/:name, or set DATASETS_MAX_BYTES, and send the archive again`;
  return refuse('DATASETS_FULL', message);
}

function contentOf(
  { name, form, seed, report, source }: Described,
  { labels, train, test, labelOf, testShare }: Chosen,
  written: Pick<ManifestContent, 'pictures' | 'testSet'>,
): ManifestContent {
  const count = (part: Uint32Array) => {
    const byLabel = labels.map(() => 0);
    for (const slot of part) byLabel[labelOf(slot)]!++;
    return { count: part.length, byLabel };
  };
  return {
    format: 1,
    name,
    form,
    labels: [...labels],
    counts: { train: count(train), test: count(test) },
    testShare,
    seed,
    ...written,
    report,
    createdAt: new Date().toISOString(),
    source,
  };
}
