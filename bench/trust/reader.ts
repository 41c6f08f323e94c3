/** The newest model of a data directory, read with in this process. */
import { imageSize } from '../../src/model/data/dataset.ts';
import { openEngine } from '../../src/model/engines/open-engine.ts';
import { infer, loadModel } from '../../src/model/serving/loaded-model.ts';
import { openStore } from '../../src/model/store/store.ts';
import { indexOfMaximum } from '../../src/model/training/logits.ts';

export type Reader = {
  readonly version: number;
  readonly read: (pixels: Uint8Array) => number;
  readonly probabilities: (images: readonly Uint8Array[]) => Float32Array[]; // [10] each
};

/** @throws where the directory has no model */
export async function openReader(dataDir: string): Promise<Reader> {
  await openEngine('auto');
  const store = openStore(dataDir);
  const version = (await store.versions())[0]; // newest first
  if (version === undefined)
    throw new Error(`expected a model in ${dataDir}, got none; train one with DATA_DIR=${dataDir} npm start`);
  const model = await loadModel(await store.load(version));
  const probabilities = (images: readonly Uint8Array[]) => {
    const pixels = new Uint8Array(images.length * imageSize);
    for (const [i, image] of images.entries()) pixels.set(image, i * imageSize);
    const all = infer(model, pixels);
    return images.map((_, i) => all.slice(10 * i, 10 * i + 10));
  };
  return { version, probabilities, read: (pixels) => indexOfMaximum(probabilities([pixels])[0]!, 0, 10) };
}
