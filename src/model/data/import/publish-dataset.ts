/** Writes a data set and publishes it under its name, whole or not at all. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { moveDirectory } from '../../../lib/create-directory.ts';
import { writeDurably } from '../../../lib/files.ts';
import { datasetsRoot, manifestFile, openDatasets, picturesFile } from '../imported/datasets.ts';
import { type ImportedManifest, type ManifestContent, sealManifest } from '../imported/manifest.ts';
import { writePictures } from '../imported/pictures-file.ts';
import type { Chosen } from './choose-pictures.ts';
import { type Refusal, refuse } from './problem.ts';
import type { Scratch } from './scratch.ts';
import type { Slots } from './slots.ts';

export type Described = Pick<ManifestContent, 'name' | 'form' | 'seed' | 'report' | 'source'> & {
  readonly dataDir: string;
  readonly staging: string;
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
