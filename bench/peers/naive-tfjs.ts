/**
 * The article's program as a tfjs tutorial has it: a sequential model over tfjs-node, trained batch by batch with
 * Adam. None of Trainyard's kernels or gradients. Prints one JSON line with its rate and its accuracy on 1,000 test
 * images.
 */
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs';
import { readSplit } from '../../src/model/data/built-in.ts';
import { firstOf } from '../../src/model/data/dataset.ts';
import { fingerprint } from '../lib/fingerprint.ts';

const { values } = parseArgs({
  options: { 'batch-size': { type: 'string', default: '64' }, batches: { type: 'string', default: '100' } },
});
const [batchSize, batches] = [Number(values['batch-size']), Number(values.batches)];

process.env['TF_CPP_MIN_LOG_LEVEL'] = '2';
const require = createRequire(import.meta.url);
const util = require('node:util') as Record<string, unknown>;
util['isNullOrUndefined'] ??= (value: unknown) => value === null || value === undefined; // gone from Node 23 on
util['isArray'] = Array.isArray;
require('@tensorflow/tfjs-node-gpu');
await tf.setBackend('tensorflow');

const train = await readSplit('mnist', 'train');
const images = tf.tensor4d(Float32Array.from(train.images), [train.count, 28, 28, 1]).div<tf.Tensor4D>(255);
const labels = tf.oneHot(tf.tensor1d([...train.labels], 'int32'), 10).toFloat();

const convolution = (filters: number) =>
  tf.layers.conv2d({ filters, kernelSize: 5, padding: 'same', activation: 'relu', ...firstShape() });
const firstShape = () => (model.layers.length === 0 ? { inputShape: [28, 28, 1] } : {});
const model = tf.sequential();
model.add(convolution(16));
model.add(tf.layers.maxPooling2d({ poolSize: 2 }));
model.add(convolution(32));
model.add(convolution(32));
model.add(tf.layers.maxPooling2d({ poolSize: 2 }));
model.add(convolution(64));
model.add(tf.layers.flatten());
model.add(tf.layers.dense({ units: 10 }));

const optimizer = tf.train.adam(0.001);
const steps = Math.floor(train.count / batchSize);

function step(index: number): void {
  tf.tidy(() => {
    const start = (index % steps) * batchSize;
    const [x, y] = [images.slice(start, batchSize), labels.slice(start, batchSize)];
    optimizer.minimize(() =>
      tf.losses.softmaxCrossEntropy(y, model.apply(x, { training: true }) as tf.Tensor).asScalar(),
    );
  });
}

for (let index = 0; index < 50; index++) step(index);
const startedAt = performance.now();
for (let index = 0; index < batches; index++) step(index);
const seconds = (performance.now() - startedAt) / 1000;
const test = firstOf(await readSplit('mnist', 'test'), 1000);
const testImages = tf.tensor4d(Float32Array.from(test.images), [test.count, 28, 28, 1]).div<tf.Tensor4D>(255);
const answers = (model.predict(testImages, { batchSize: 250 }) as tf.Tensor).argMax(1).dataSync();
const accuracy = test.labels.filter((label, index) => label === answers[index]).length / test.count;
const task = {
  version: `tfjs ${tf.version.tfjs}`,
  parameters: model.countParams(),
  images: train.count,
  sha256: fingerprint(train),
};
console.log(JSON.stringify({ imagesPerSecond: (batches * batchSize) / seconds, accuracy, ...task }));
