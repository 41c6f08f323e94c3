import { expect, it } from 'vitest';
import { createThroughputMeter } from '../../../src/model/training/throughput.ts';

it('estimates from the images of this epoch and what is left to train and evaluate', () => {
  let now = 0;
  const meter = createThroughputMeter({ epochs: 2, trainImages: 1000, testImages: 300 }, () => now);
  meter.startEpoch(0);
  meter.count(500);
  now = 5000; // ms
  const { imagesPerSecond, etaSeconds } = meter.estimate(1);
  expect(imagesPerSecond).toBeCloseTo(100);
  expect(etaSeconds).toBeCloseTo((1500 + 600 / 3) / 100);
});

it('counts what an earlier attempt has trained as done, but not as its own', () => {
  let now = 0;
  const meter = createThroughputMeter({ epochs: 1, trainImages: 1000, testImages: 0 }, () => now);
  meter.startEpoch(600);
  meter.count(200);
  now = 1000; // ms
  expect(meter.estimate(1)).toEqual({ imagesPerSecond: 200, etaSeconds: 1 });
});

it('stays finite before anything was trained', () => {
  const meter = createThroughputMeter({ epochs: 1, trainImages: 10, testImages: 10 }, () => 0);
  meter.startEpoch(0);
  const { imagesPerSecond, etaSeconds } = meter.estimate(1);
  expect(imagesPerSecond).toBe(0);
  expect(Number.isFinite(etaSeconds)).toBe(true);
});
