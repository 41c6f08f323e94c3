/** Adds corrections to the images that a network is trained on. */
import { randomFor } from '../../lib/random.ts';
import { distort } from '../data/augment.ts';
import { imageAt, imageSize, type Split } from '../data/dataset.ts';
import type { CorrectionSet } from './correction-set.ts';

const shareOfTraining = 1 / 20; // what a few corrections are repeated up to
const mostCopies = 16; // of each: more would be learnt by heart

/** Leaves out corrections to "none of the labels", which a network can't learn that is trained without outliers. */
export function onlyLabelled({ sha256, train, heldOut }: CorrectionSet, labelCount: number): CorrectionSet {
  const labelledIn = (split: Split) => chosenOf(split, (i) => split.labels[i]! < labelCount);
  return { sha256, train: labelledIn(train), heldOut: labelledIn(heldOut) };
}

function chosenOf(split: Split, isWanted: (index: number) => boolean): Split {
  const chosen = [...split.labels.keys()].filter(isWanted);
  const images = new Uint8Array(chosen.length * imageSize);
  for (const [place, i] of chosen.entries()) images.set(imageAt(split, i), place * imageSize);
  return { count: chosen.length, images, labels: Uint16Array.from(chosen, (i) => split.labels[i]!) };
}

/** Leaves out corrections that are test images: a network that has learnt those can't be tested with them. */
export function withoutTestImages({ sha256, train, heldOut }: CorrectionSet, test: Split): CorrectionSet {
  const known = new Set(Array.from({ length: test.count }, (_, i) => keyOf(test, i)));
  const others = (split: Split) => chosenOf(split, (i) => !known.has(keyOf(split, i)));
  return { sha256, train: others(train), heldOut: others(heldOut) };
}

const keyOf = (split: Split, index: number) => Buffer.from(imageAt(split, index)).toString('latin1');

/** Appends the corrections to a training split: each once as it is and, while they are few, in distorted copies. */
export function withCorrections(split: Split, corrections: Split, seed: number): Split {
  const wanted = Math.floor((split.count * shareOfTraining) / Math.max(1, corrections.count));
  const copies = Math.min(mostCopies, Math.max(1, wanted));
  const count = split.count + copies * corrections.count;
  const images = new Uint8Array(count * imageSize);
  const labels = new Uint16Array(count);
  images.set(split.images.subarray(0, split.count * imageSize));
  labels.set(split.labels.subarray(0, split.count));
  const random = randomFor(seed, 'copies of corrections');
  for (let i = 0; i < corrections.count; i++) {
    const first = split.count + i * copies;
    labels.fill(corrections.labels[i]!, first, first + copies);
    images.set(imageAt(corrections, i), first * imageSize);
    for (let copy = first + 1; copy < first + copies; copy++)
      distort(imageAt(corrections, i), images.subarray(copy * imageSize, (copy + 1) * imageSize), random);
  }
  return { count, images, labels };
}
