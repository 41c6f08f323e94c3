import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digitLabels } from '../../../src/model/data/labels.ts';
import { warning } from '../../../src/model/image/warnings.ts';
import { answerFrom } from '../../../src/model/serving/answer.ts';

const calibration = {
  temperature: 0.5,
  threshold: 0.7,
  ece: 0,
  falseAlarms: 0,
  images: 2000,
  method: 'of the test',
};
const reader = { labels: digitLabels, calibration };
const uncalibrated = { labels: digitLabels, calibration: null };
const logitsOf = (values: Record<number, number>) =>
  Float32Array.from({ length: 10 }, (_, digit) => values[digit] ?? -6);

describe('an answer', () => {
  it('is known where one label stands out and it looks like a label', () => {
    const answer = answerFrom(logitsOf({ 7: 4 }), reader, []);
    expect(answer).toMatchObject({ label: '7', digit: 7, verdict: 'known', calibrated: true, warnings: [] });
    expect(answer.confidence).toBeGreaterThan(0.99);
    expect(answer.score).toBeGreaterThan(0.9);
  });

  it.each([
    { why: 'two labels are alike', logits: logitsOf({ 4: 3, 9: 3.1 }), warnings: [], verdict: 'unsure' },
    {
      why: 'the picture shows several shapes',
      logits: logitsOf({ 4: 5 }),
      warnings: [warning('SEVERAL_SHAPES')],
      verdict: 'unsure',
    },
    {
      why: 'lines were taken away',
      logits: logitsOf({ 4: 5 }),
      warnings: [warning('RULES_REMOVED')],
      verdict: 'known',
    },
    { why: 'all logits are low', logits: logitsOf({ 4: 0 }), warnings: [], verdict: 'unknown' },
    {
      why: 'all logits are low, and there are several shapes',
      logits: logitsOf({ 4: 0 }),
      warnings: [warning('SEVERAL_SHAPES')],
      verdict: 'unknown',
    },
  ])('is $verdict where $why', ({ logits, warnings, verdict }) => {
    expect(answerFrom(logits, reader, warnings)).toMatchObject({ verdict, warnings });
  });

  it('of a version that was trained without outliers has no score, and is never unknown', () => {
    const without = { labels: digitLabels, calibration: { ...calibration, threshold: null } };
    expect(answerFrom(logitsOf({ 4: 0 }), without, [])).toMatchObject({
      score: null,
      verdict: 'known',
      calibrated: true,
    });
    expect(answerFrom(logitsOf({ 4: 3, 9: 3.1 }), without, []).verdict).toBe('unsure');
  });

  it('of a version without calibration has no score, and no verdict of its own', () => {
    const plain = { score: null, calibrated: false };
    expect(answerFrom(logitsOf({ 4: 0 }), uncalibrated, [])).toMatchObject({ ...plain, verdict: 'known' });
    const several = [warning('SEVERAL_SHAPES')];
    expect(answerFrom(logitsOf({ 4: 9 }), uncalibrated, several)).toMatchObject({
      ...plain,
      verdict: 'unsure',
    });
  });

  it('names the label, and the digit only where the labels are the digits', () => {
    const logits = Float32Array.of(-3, 4, -3);
    const letters = answerFrom(logits, { labels: ['a', 'ß', '猫'], calibration: null }, []);
    expect(letters.label).toBe('ß');
    expect('digit' in letters).toBe(false);
    expect(letters.probabilities).toHaveLength(3);
    const reversed = { labels: digitLabels.toReversed(), calibration: null };
    expect('digit' in answerFrom(logitsOf({ 1: 4 }), reversed, [])).toBe(false);
  });

  it('has probabilities that sum to 1, the largest of which is the confidence', () => {
    const logit = fc.float({ min: -80, max: 80, noNaN: true });
    fc.assert(
      fc.property(fc.array(logit, { minLength: 10, maxLength: 10 }), fc.boolean(), (values, isCalibrated) => {
        const answer = answerFrom(Float32Array.from(values), isCalibrated ? reader : uncalibrated, []);
        expect(answer.probabilities.reduce((sum, each) => sum + each, 0)).toBeCloseTo(1);
        expect(answer.confidence).toBe(Math.max(...answer.probabilities));
        expect(answer.probabilities[answer.digit!]).toBe(answer.confidence);
      }),
    );
  });
});
