import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { between, randomFor } from '../../../src/lib/random.ts';
import { calibrate, reliabilityOf, scoreOf, surest } from '../../../src/model/training/calibration.ts';

/** Logits [count × 10] of a network that is as sure as it is right at the temperature `hot`, and their labels. */
function answersAt(hot: number, count: number) {
  const random = randomFor(1, 'answers');
  const logits = new Float32Array(10 * count);
  const labels = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const row = Array.from({ length: 10 }, () => between(random, -4, 4));
    const total = row.reduce((sum, logit) => sum + Math.exp(logit), 0);
    let left = between(random, 0, total);
    labels[i] = Math.max(
      0,
      row.findIndex((logit) => (left -= Math.exp(logit)) < 0),
    );
    logits.set(
      row.map((logit) => hot * logit),
      10 * i,
    );
  }
  return { logits, labels };
}

describe('calibrate', () => {
  it.each([0.3, 1, 4])('finds the temperature %d that logits were multiplied by', (hot) => {
    const { logits, labels } = answersAt(hot, 5000);
    const { temperature, ece } = calibrate(logits, labels, true);
    expect(temperature / hot).toBeGreaterThan(0.93);
    expect(temperature / hot).toBeLessThan(1.07);
    expect(ece).toBeLessThan(0.02);
    expect(reliabilityOf(logits, labels, 3 * hot).ece).toBeGreaterThan(0.1);
  });

  it('sets a threshold that calls at most 0.5 % of its images unknown', () => {
    const { logits, labels } = answersAt(1, 2000);
    const { threshold, falseAlarms, images } = calibrate(logits, labels, true);
    const below = Array.from(labels, (_, i) => scoreOf(logits.subarray(10 * i, 10 * i + 10))).filter(
      (score) => score < threshold!,
    );
    expect(below.length).toBe(10);
    expect({ falseAlarms, images }).toEqual({ falseAlarms: 0.005, images: 2000 });
  });

  it('sets no threshold for a network that was trained without outliers', () => {
    const { logits, labels } = answersAt(1, 1000);
    expect(calibrate(logits, labels, false)).toMatchObject({ threshold: null, falseAlarms: 0 });
  });

  it('calls none of its images unknown where they are too few', () => {
    const { logits, labels } = answersAt(1, 100);
    expect(calibrate(logits, labels, true).falseAlarms).toBe(0);
  });

  it('stays finite where every answer is right, and where every one is wrong', () => {
    const logits = Float32Array.from({ length: 200 }, (_, i) => (i % 10 === 3 ? 50 : 0));
    for (const label of [3, 4]) {
      const { temperature, threshold, ece } = calibrate(logits, new Uint8Array(20).fill(label), true);
      for (const value of [temperature, threshold!, ece]) expect(Number.isFinite(value)).toBe(true);
      expect(temperature).toBeGreaterThan(0);
    }
  });
});

describe('reliability', () => {
  it('counts every image in the bin of its confidence', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 200 }),
        fc.double({ min: 0.1, max: 10, noNaN: true }),
        (count, temperature) => {
          const { logits, labels } = answersAt(1, count);
          const { bins, ece, nll } = reliabilityOf(logits, labels, temperature);
          expect(bins).toHaveLength(15);
          expect(bins.reduce((sum, { images }) => sum + images, 0)).toBe(count);
          for (const [i, { images, confidence }] of bins.entries()) {
            if (images === 0) continue;
            expect(confidence).toBeGreaterThanOrEqual(i / 15 - 1e-9);
            expect(confidence).toBeLessThanOrEqual((i + 1) / 15 + 1e-9);
          }
          expect(ece).toBeGreaterThanOrEqual(0);
          expect(ece).toBeLessThanOrEqual(1);
          expect(nll).toBeGreaterThanOrEqual(0);
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe('a score', () => {
  it('is a half where the digits together weigh as much as none of them', () => {
    expect(scoreOf(new Float32Array(10).fill(-Math.log(10)))).toBeCloseTo(0.5);
    expect(scoreOf(new Float32Array(10).fill(-100))).toBeCloseTo(0);
    expect(scoreOf(new Float32Array(10).fill(100))).toBe(1);
  });

  it('does not depend on the temperature, as the confidence does', () => {
    const logits = Float32Array.of(3, 1, 0, 0, 0, 0, 0, 0, 0, 0);
    expect(surest(logits, 0.5).confidence).toBeGreaterThan(surest(logits, 1).confidence);
    expect(surest(logits, 0.5).label).toBe(0);
  });
});
