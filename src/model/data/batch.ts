/** Cuts a split into batches of tensors. */

import { between, type Random } from '../../lib/random.ts';
import * as tf from '../tfjs.ts';
import { distort, type Surroundings } from './augment.ts';
import { imageAt, imageSize, type Split } from './dataset.ts';
import { toImageTensor } from './image-tensor.ts';
import { redraw } from './other-hand.ts';
import type { DrawOutlier } from './outliers/outliers.ts';

export type Batch = {
  readonly images: tf.Tensor4D; // [N, 28, 28, 1], 0 … 1
  readonly labels: tf.Tensor1D; // [N], int32, 0 … C - 1 of C labels; C: an outlier
};

export type OutlierVariation = {
  readonly count: number;
  readonly classIndex: number;
  readonly draw: DrawOutlier;
  readonly random: Random;
};

/** Where what is random comes from; null: nothing of that kind is done to the batch. */
export type Variation = {
  /** Turns, scales, slants and shifts each image (augment.ts). */
  readonly distortions?: { readonly random: Random; readonly surroundings: Surroundings } | null;
  readonly otherHands?: { readonly share: number; readonly random: Random } | null; // of the images (other-hand.ts)
  /** Made images besides the examples, and the class that they get: the one after the labels. */
  readonly outliers?: OutlierVariation | null;
};

/**
 * The examples at `order[start … start + size)`, fewer at the end of the split, then the outliers, if any. The caller
 * disposes the batch.
 */
export function takeBatch(
  split: Split,
  order: Uint32Array,
  start: number,
  size: number,
  { distortions, otherHands, outliers }: Variation = {},
): Batch {
  const chosen = order.subarray(start, start + size);
  const count = chosen.length + (outliers?.count ?? 0);
  const pixels = new Uint8Array(count * imageSize);
  const labels = new Int32Array(count).fill(outliers?.classIndex ?? 0);
  const placeOf = (i: number) => pixels.subarray(i * imageSize, (i + 1) * imageSize);
  for (const [i, example] of chosen.entries()) {
    const place = placeOf(i);
    place.set(imageAt(split, example));
    if (otherHands && between(otherHands.random, 0, 1) < otherHands.share)
      redraw(imageAt(split, example), split.labels[example]!, place, otherHands.random);
    labels[i] = split.labels[example]!;
  }
  if (outliers) for (let i = chosen.length; i < count; i++) outliers.draw(placeOf(i), outliers.random, split);
  // All of them, made ones too: a distortion blurs a little, and nothing must be told by how sharp it is.
  if (distortions)
    for (let i = 0; i < count; i++)
      distort(placeOf(i).slice(), placeOf(i), distortions.random, distortions.surroundings);
  return { images: toImageTensor(pixels), labels: tf.tensor1d(labels, 'int32') };
}
