/** Reads DIRECTORY/mnist-3.zip with stock tfjs, in a process that loads nothing of Trainyard's; writes tfjs.f32. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import * as tf from '@tensorflow/tfjs';
import { openPromise } from 'yauzl';

const directory = process.argv[2]!;
const batchSize = 100;

const files = new Map<string, Buffer>();
const zip = await openPromise(join(directory, 'mnist-3.zip'), { lazyEntries: true });
for await (const entry of zip.eachEntry())
  files.set(entry.fileName, await buffer(await zip.openReadStreamPromise(entry)));
const { modelTopology, weightsManifest } = JSON.parse(files.get('model.json')!.toString()) as {
  modelTopology: object;
  weightsManifest: tf.io.WeightsManifestConfig;
};
const weightData = new Uint8Array(files.get('weights.bin')!).buffer;
const weightSpecs = weightsManifest[0]!.weights;
await tf.setBackend('cpu');
const model = await tf.loadLayersModel(tf.io.fromMemory({ modelTopology, weightSpecs, weightData }));
const bytes = await readFile(join(directory, 'images.f32'));
const images = new Float32Array(new Uint8Array(bytes).buffer);
const batch = tf.tensor4d(images, [images.length / 784, 28, 28, 1]);
const output = model.predict(batch, { batchSize }) as tf.Tensor;
await writeFile(join(directory, 'tfjs.f32'), new Uint8Array((await output.data<'float32'>()).slice().buffer));
console.log(JSON.stringify({ version: tf.version.tfjs }));
