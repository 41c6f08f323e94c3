/** The newest model of a data directory, read with in this process. */
import { imageSize, type Split } from '../../src/model/data/dataset.ts';
import { openEngine } from '../../src/model/engines/open-engine.ts';
import { readDigit } from '../../src/model/image/read-digit.ts';
import { readLine } from '../../src/model/image/read-line.ts';
import { type Answer, answerFrom } from '../../src/model/serving/answer.ts';
import { answerLine } from '../../src/model/serving/answer-line.ts';
import { infer, loadModel } from '../../src/model/serving/loaded-model.ts';
import { openStore } from '../../src/model/store/store.ts';
import { type Reliability, reliabilityOf } from '../../src/model/training/calibration.ts';

export type ReadPicture = { readonly answer: Answer; readonly pixels: Uint8Array }; // [784]

export type Reader = {
  readonly version: number;
  readonly recipe: string;
  /** As the predictor reads one character; null where it has no answer. */
  readonly read: (bytes: Buffer) => Promise<ReadPicture | null>;
  readonly readLine: (bytes: Buffer) => Promise<string>;
  /** Images that are 28×28 already. */
  readonly readImages: (images: Uint8Array) => Answer[];
  /** How far its confidences in such images hold. */
  readonly reliabilityOf: (images: Uint8Array, labels: Split['labels']) => Reliability;
};

/** @throws where the directory has no model */
export async function openReader(dataDir: string): Promise<Reader> {
  await openEngine('auto');
  const store = openStore(dataDir);
  const version = (await store.versions())[0]; // newest first
  if (version === undefined)
    throw new Error(`expected a model in ${dataDir}, got none; train one with DATA_DIR=${dataDir} npm start`);
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
    read: async (bytes) => {
      const picture = await readDigit(bytes);
      if (!picture.ok) return null;
      const { pixels, warnings } = picture;
      return { answer: answerFrom(infer(model, pixels), model, warnings), pixels };
    },
    readLine: async (bytes) => {
      const picture = await readLine(bytes);
      if (!picture.ok) return '';
      const { line, shrink } = picture;
      const found = await answerLine(line, shrink, (pixels) => infer(model, pixels), model);
      return found.text;
    },
  };
}
