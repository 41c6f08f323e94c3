/** Which pictures are for training and which for the test. */
import { sha256Bytes } from '../../../lib/sha256.ts';
import type { SplitName } from './labels.ts';

export type Part = 'train' | 'test';

/** `partOf`: null where the archive has no division of its own, and the pictures are divided by `testShare`. */
export type SplitPlan = {
  readonly partOf: ((split: SplitName | null) => Part) | null;
  readonly note: string;
};

/** @param splits all that occur */
export function planSplit(splits: ReadonlySet<SplitName | null>): SplitPlan {
  const hasTrain = splits.has('train') || splits.has(null);
  if (splits.has('test') && (hasTrain || splits.has('validation'))) {
    const note = splits.has('validation')
      ? 'the archive divides the pictures; its validation part is used for training'
      : 'the archive divides the pictures into training and test';
    return { partOf: (split) => (split === 'test' ? 'test' : 'train'), note };
  }
  if (splits.has('validation') && hasTrain) {
    const note = 'the archive has no test part; its validation part is the test';
    return { partOf: (split) => (split === 'validation' ? 'test' : 'train'), note };
  }
  return { partOf: null, note: 'the archive has one part; of each label a share is drawn for the test' };
}

const hashBytes = 32;

/**
 * The rank of each picture: SHA-256 of the seed and the hash of its pixels. The order by rank is random, yet the same
 * wherever the picture lies in the archive.
 *
 * @param hashes [n × 32] @returns [n × 32]
 */
export function ranksOf(hashes: Uint8Array, seed: number): Uint8Array {
  const ranks = new Uint8Array(hashes.length);
  const text = Buffer.alloc(4 + hashBytes);
  text.writeUInt32LE(seed);
  for (let start = 0; start < hashes.length; start += hashBytes) {
    text.set(hashes.subarray(start, start + hashBytes), 4);
    ranks.set(sha256Bytes(text), start);
  }
  return ranks;
}

/** How many of a label's pictures are for the test: a share, but at least one, and at least one is left. */
export function testCount(pictures: number, testShare: number): number {
  return pictures < 2 ? 0 : Math.min(pictures - 1, Math.max(1, Math.round(pictures * testShare)));
}

/** Compares two of the 32-byte values in `values`, or bytes `from` to `to` of them; by their numbers where they are equal. */
export function compareHashes(values: Uint8Array, a: number, b: number, from = 0, to = hashBytes): number {
  for (let i = from; i < to; i++) {
    const difference = values[a * hashBytes + i]! - values[b * hashBytes + i]!;
    if (difference !== 0) return difference;
  }
  return a - b;
}

/** Compares by the first half of the ranks: the pictures of a label that come first are for the test. */
export function compareForTest(ranks: Uint8Array, a: number, b: number): number {
  return compareHashes(ranks, a, b, 0, hashBytes / 2);
}

/** Compares by the second half of the ranks. By the first, training would begin with the labels whose share for the test ended first. */
export function compareForOrder(ranks: Uint8Array, a: number, b: number): number {
  return compareHashes(ranks, a, b, hashBytes / 2, hashBytes);
}
