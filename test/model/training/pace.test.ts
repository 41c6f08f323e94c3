import { expect, it } from 'vitest';
import { createPace } from '../../../src/model/training/pace.ts';

it('estimates from the images of this epoch and what is left to train and evaluate', () => {
  let now = 0;
  const pace = createPace({ epochs: 2, trainImages: 1000, testImages: 300 }, () => now);
  pace.startEpoch(0);
  pace.trained(500);
  now = 5000; // ms
  const { imagesPerSecond, etaSeconds } = pace.estimate(1);
  expect(imagesPerSecond).toBeCloseTo(100);
  expect(etaSeconds).toBeCloseTo((1500 + 600 / 3) / 100);
});

it('counts what an earlier attempt has trained as done, but not as its own', () => {
  let now = 0;
  const pace = createPace({ epochs: 1, trainImages: 1000, testImages: 0 }, () => now);
  pace.startEpoch(600);
  pace.trained(200);
  now = 1000; // ms
  expect(pace.estimate(1)).toEqual({ imagesPerSecond: 200, etaSeconds: 1 });
});

it('stays finite before anything was trained', () => {
  const pace = createPace({ epochs: 1, trainImages: 10, testImages: 10 }, () => 0);
  pace.startEpoch(0);
  const { imagesPerSecond, etaSeconds } = pace.estimate(1);
  expect(imagesPerSecond).toBe(0);
  expect(Number.isFinite(etaSeconds)).toBe(true);
});
