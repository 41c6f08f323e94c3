import { expect, it } from 'vitest';
import { createPace } from '../../src/model/pace.ts';

it('estimates from the images of this epoch and what is left to train and evaluate', () => {
  let now = 0;
  const pace = createPace({ epochs: 2, trainImages: 1000, testImages: 300 }, () => now);
  pace.startEpoch();
  pace.trained(500);
  now = 5000; // ms
  const { imagesPerSecond, etaSeconds } = pace.estimate(1);
  expect(imagesPerSecond).toBeCloseTo(100);
  expect(etaSeconds).toBeCloseTo((1500 + 600 / 3) / 100);
});

it('stays finite before anything was trained', () => {
  const pace = createPace({ epochs: 1, trainImages: 10, testImages: 10 }, () => 0);
  pace.startEpoch();
  expect(pace.estimate(1)).toMatchObject({ imagesPerSecond: 0, etaSeconds: expect.any(Number) });
});
