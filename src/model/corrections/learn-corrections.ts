/** Adds corrections to the images that a network is trained on. */
import { randomFor } from '../../lib/random.ts';
import { distort } from '../data/augment.ts';
import { classCount, imageAt, imageSize, type Split } from '../data/dataset.ts';

const shareOfTraining = 1 / 20; // what a few corrections are repeated up to
const mostCopies = 16; // of each: more would be learnt by heart

/**
 * Appends the corrections to a training split: each once as it is, and, while they are few, in distorted copies.
 * `learnsNone`: whether the network learns what is none of the labels; otherwise such corrections are left out.
 */
export function withCorrections(
  split: Split,
  corrections: Split,
  { seed, learnsNone }: { seed: number; learnsNone: boolean },
): Split {
  const chosen = [...corrections.labels.keys()].filter(
    (i) => learnsNone || corrections.labels[i]! < classCount,
  );
  const wanted = Math.floor((split.count * shareOfTraining) / Math.max(1, chosen.length));
  const copies = Math.min(mostCopies, Math.max(1, wanted));
  const count = split.count + copies * chosen.length;
  const images = new Uint8Array(count * imageSize);
  const labels = new Uint8Array(count);
  images.set(split.images.subarray(0, split.count * imageSize));
  labels.set(split.labels.subarray(0, split.count));
  const random = randomFor(seed, 'copies of corrections');
  let place = split.count;
  for (const i of chosen) {
    const image = imageAt(corrections, i);
    for (let copy = 0; copy < copies; copy++, place++) {
      const target = images.subarray(place * imageSize, (place + 1) * imageSize);
      if (copy === 0) target.set(image);
      else distort(image, target, random);
      labels[place] = corrections.labels[i]!;
    }
  }
  return { count, images, labels };
}
