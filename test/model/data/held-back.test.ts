import { describe, expect, it } from 'vitest';
import { splitForCalibration } from '../../../src/model/data/held-back.ts';
import { mnist } from './mnist.ts';

const split = (trainImages: number | null, calibrationImages: number) => {
  const { trainSplit, heldBack } = splitForCalibration(mnist.train, { trainImages, calibrationImages });
  return [trainSplit.count, heldBack.count];
};

describe('splitForCalibration', () => {
  it.each([
    { trainImages: null, calibrationImages: 2000, expected: [58_000, 2000] },
    { trainImages: 40_000, calibrationImages: 2000, expected: [40_000, 2000] },
    { trainImages: 59_000, calibrationImages: 2000, expected: [58_000, 2000] },
    { trainImages: 5000, calibrationImages: 2000, expected: [5000, 500] }, // a tenth
    { trainImages: 64, calibrationImages: 2000, expected: [64, 100] },
    { trainImages: 64, calibrationImages: 50, expected: [64, 50] },
    { trainImages: null, calibrationImages: 0, expected: [60_000, 0] },
  ])(
    'gives $expected for $trainImages and $calibrationImages',
    ({ trainImages, calibrationImages, expected }) => {
      expect(split(trainImages, calibrationImages)).toEqual(expected);
    },
  );

  it('holds back the last images, none of which is trained on', () => {
    const { trainSplit, heldBack } = splitForCalibration(mnist.train, {
      trainImages: null,
      calibrationImages: 2000,
    });
    expect(heldBack.labels).toEqual(mnist.train.labels.slice(58_000));
    // Compared as bytes: of so many, a list of differences would take minutes.
    expect(Buffer.compare(heldBack.images, mnist.train.images.subarray(58_000 * 784))).toBe(0);
    expect(Buffer.compare(trainSplit.images, mnist.train.images.subarray(0, 58_000 * 784))).toBe(0);
  });
});
