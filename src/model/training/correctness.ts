/** Which test images a network reads right, one bit an image: 10,000 images take 1,250 bytes. */
import { TrainyardError } from '../../lib/errors.ts';
import type { Split } from '../data/dataset.ts';

export type Correctness = {
  readonly images: number; // the first so many test images
  readonly bits: Uint8Array; // [⌈images / 8⌉], the image `i` at bit i % 8 of byte ⌊i / 8⌋, the lowest bit first
};

/** predictions [≥ images], labels [≥ images] */
export function correctnessOf(
  images: number,
  predictions: Split['labels'],
  labels: Split['labels'],
): Correctness {
  const bits = new Uint8Array(Math.ceil(images / 8));
  for (let i = 0; i < images; i++) if (predictions[i] === labels[i]) bits[i >> 3]! |= 1 << (i & 7);
  return { images, bits };
}

/** @throws TrainyardError `MODEL_DAMAGED` when there are more or fewer bytes than `images` take */
export function decodeCorrectness(images: number, bits: Uint8Array): Correctness {
  const expected = Math.ceil(images / 8);
  if (bits.length === expected) return { images, bits };
  const message = `correct.bits: expected ${expected} bytes for ${images} images, got ${bits.length}`;
  throw new TrainyardError('MODEL_DAMAGED', message);
}

export type Difference = {
  readonly images: number; // that were compared
  readonly onlyFirst: readonly number[]; // indices of the images that only the first reads right
  readonly onlySecond: readonly number[];
};

/** Compares two networks on the images that both were tested on. */
export function compareCorrectness(first: Correctness, second: Correctness): Difference {
  const images = Math.min(first.images, second.images);
  const onlyFirst: number[] = [];
  const onlySecond: number[] = [];
  for (let i = 0; i < images; i++) {
    const [a, b] = [isCorrect(first, i), isCorrect(second, i)];
    if (a && !b) onlyFirst.push(i);
    if (b && !a) onlySecond.push(i);
  }
  return { images, onlyFirst, onlySecond };
}

/** How many of the first `images` are read right. */
export function countCorrect(correctness: Correctness, images = correctness.images): number {
  let count = 0;
  for (let i = 0; i < images; i++) if (isCorrect(correctness, i)) count++;
  return count;
}

function isCorrect({ bits }: Correctness, image: number): boolean {
  return (bits[image >> 3]! & (1 << (image & 7))) !== 0;
}
