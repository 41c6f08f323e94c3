/** The newest models of a data directory, which read in this process. */
import { imageSize, type Split } from '../../src/model/data/dataset.ts';
import { openEngine } from '../../src/model/engines/open-engine.ts';
import type { ReadDigit } from '../../src/model/image/read-digit.ts';
import type { ReadLine } from '../../src/model/image/read-line.ts';
import { type Answer, answerFrom } from '../../src/model/serving/answer.ts';
import { answerLine } from '../../src/model/serving/answer-line.ts';
import { infer, loadModel } from '../../src/model/serving/loaded-model.ts';
import { type ModelStore, openStore } from '../../src/model/store/store.ts';
import { type Reliability, reliabilityOf } from '../../src/model/training/calibration.ts';

export type Reader = {
  readonly version: number;
  readonly recipe: string;
  /** As the predictor reads one character; null where the picture has none. */
  readonly read: (picture: ReadDigit) => ReadPicture | null;
  readonly readLine: (picture: ReadLine) => Promise<string>;
  /** Images that are 28×28 already. */
  readonly readImages: (images: Uint8Array) => Answer[];
  /** How far its confidences in such images hold. */
  readonly reliabilityOf: (images: Uint8Array, labels: Split['labels']) => Reliability;
};

export type ReadPicture = { readonly answer: Answer; readonly pixels: Uint8Array }; // [784]

/**
 * Opens the newest `count` versions.
 *
 * @throws where the directory has fewer
 */
export async function openReaders(dataDir: string, count: number): Promise<Reader[]> {
  await openEngine('auto');
  const store = openStore(dataDir);
  const versions = (await store.versions()).slice(0, count); // newest first
  if (versions.length < count)
    throw new Error(
      `expected ${count} versions in ${dataDir}, got ${versions.length}; train one with DATA_DIR=${dataDir} npm start`,
    );
  const readers: Reader[] = [];
  for (const version of versions) readers.push(await openReader(store, version));
  return readers;
}

async function openReader(store: ModelStore, version: number): Promise<Reader> {
  const stored = await store.load(version);
  const model = await loadModel(stored);
  const readImages = (images: Uint8Array): Answer[] => {
    const logits = infer(model, images);
    return Array.from({ length: images.length / imageSize }, (_, i) =>
      answerFrom(logits.subarray(10 * i, 10 * i + 10), model, []),
    );
  };
  return {
    version,
    recipe: stored.manifest.recipe,
    readImages,
    reliabilityOf: (images, labels) =>
      reliabilityOf(infer(model, images), labels, model.calibration?.temperature ?? 1),
    read: (picture) => {
      if (!picture.ok) return null;
      const { pixels, warnings } = picture;
      return { answer: answerFrom(infer(model, pixels), model, warnings), pixels };
    },
    readLine: async (picture) => {
      if (!picture.ok) return '';
      const { line, shrink } = picture;
      const found = await answerLine(line, shrink, (pixels) => infer(model, pixels), model);
      return found.text;
    },
  };
}
