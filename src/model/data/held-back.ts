/** Training images that are held back from training, to calibrate on. */
import { firstOf, imageSize, type Split } from './dataset.ts';

const leastHeldBack = 100;

/**
 * Holds back the last `calibrationImages` of the training images, or a tenth of what is trained on where that is fewer,
 * but at least 100, or a fifth of a set that is small; trains on the first `trainImages` of the others. Nothing is held back where `calibrationImages` is 0.
 */
export function splitForCalibration(
  train: Split,
  { trainImages, calibrationImages }: { trainImages: number | null; calibrationImages: number },
): { trainSplit: Split; heldBack: Split } {
  const wanted = Math.min(trainImages ?? train.count, train.count);
  const least = Math.min(leastHeldBack, Math.floor(train.count / 5));
  const enough = Math.max(least, Math.floor(wanted / 10));
  const count = Math.min(calibrationImages, enough, train.count >> 1);
  const first = train.count - count;
  return {
    trainSplit: firstOf(train, Math.min(wanted, first)),
    heldBack: {
      count,
      images: train.images.subarray(first * imageSize),
      labels: train.labels.subarray(first),
    },
  };
}
