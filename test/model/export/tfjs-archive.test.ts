/** Exported networks in stock tfjs. */
import * as tf from '@tensorflow/tfjs';
import { expect, it } from 'vitest';
import { encodeTfjs } from '../../../src/model/export/tfjs-archive.ts';
import { readingOf } from '../../../src/model/store/manifest.ts';
import {
  cases,
  imageCount,
  largestDifference,
  logitsOf,
  onCpu,
  publishedModel,
  softmaxOf,
  someImages,
} from './exported.ts';
import { unzip } from './unzip.ts';

/** What `tf.loadLayersModel(URL)` does with the files that it fetches. */
async function loadStock(files: Map<string, Buffer>): Promise<tf.LayersModel> {
  const { modelTopology, weightsManifest, ...rest } = JSON.parse(files.get('model.json')!.toString()) as {
    modelTopology: object;
    weightsManifest: tf.io.WeightsManifestConfig;
  };
  expect(weightsManifest[0]!.paths).toEqual(['weights.bin']);
  const weightData = new Uint8Array(files.get('weights.bin')!).buffer;
  const weightSpecs = weightsManifest[0]!.weights;
  return tf.loadLayersModel(tf.io.fromMemory({ modelTopology, weightSpecs, weightData, ...rest }));
}

it.each(cases)("of %s give the service's probabilities", async (_name, specification, more) => {
  const model = await publishedModel(specification, more);
  const files = await unzip(await encodeTfjs(model));
  const images = someImages();
  const labels = readingOf(model.manifest).labels.length;
  const expected = softmaxOf(await logitsOf(model, images), labels, more.calibration?.temperature ?? 1);
  const loadedModel = await onCpu(async () => {
    const loaded = await loadStock(files);
    const output = loaded.predict(tf.tensor4d(images, [imageCount, 28, 28, 1])) as tf.Tensor;
    expect(largestDifference(expected, await output.data())).toBeLessThan(1e-5);
    output.dispose();
    return loaded;
  });
  expect(loadedModel.getUserDefinedMetadata()).toMatchObject({ model: 'mnist', version: '1' });
  loadedModel.dispose();
});

it('come with the card', async () => {
  const files = await unzip(await encodeTfjs(await publishedModel('small')));
  expect([...files.keys()]).toEqual(['model.json', 'weights.bin', 'README.md']);
  expect(files.get('README.md')!.toString()).toMatch(/^# mnist, version 1\n/);
});
