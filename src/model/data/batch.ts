/** Cuts a split into batches of tensors. */

import type { Random } from '../../lib/random.ts';
import * as tf from '../tfjs.ts';
import { distort } from './augment.ts';
import { imageAt, imageSide, imageSize, type Split } from './dataset.ts';

export type Batch = {
  readonly images: tf.Tensor4D; // [N, 28, 28, 1], 0 … 1
  readonly labels: tf.Tensor1D; // [N], int32, 0 … 9
};

/** Converts pixels [N × 784] of 0 … 255 to a tensor [N, 28, 28, 1] of 0 … 1. */
export function toImageTensor(pixels: Uint8Array): tf.Tensor4D {
  const greys = new Float32Array(pixels.length);
  for (let i = 0; i < pixels.length; i++) greys[i] = pixels[i]! / 255;
  return tf.tensor4d(greys, [pixels.length / imageSize, imageSide, imageSide, 1]);
}

/**
 * The examples at `order[start … start + size)`; fewer at the end of the split. The caller disposes the batch.
 *
 * @param random the generator for distorting each image (augment.ts); null: images stay as they are
 */
export function takeBatch(
  split: Split,
  order: Uint32Array,
  start: number,
  size: number,
  random: Random | null = null,
): Batch {
  const chosen = order.subarray(start, start + size);
  const pixels = new Uint8Array(chosen.length * imageSize);
  const labels = new Int32Array(chosen.length);
  for (const [i, example] of chosen.entries()) {
    const place = pixels.subarray(i * imageSize, (i + 1) * imageSize);
    if (random) distort(imageAt(split, example), place, random);
    else place.set(imageAt(split, example));
    labels[i] = split.labels[example]!;
  }
  return { images: toImageTensor(pixels), labels: tf.tensor1d(labels, 'int32') };
}
