import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digitLabels } from '../../../src/model/data/labels.ts';
import { encodeEvaluation, evaluationSchema, summarise } from '../../../src/model/training/evaluation.ts';
import { runs } from '../../long.ts';

const digit = fc.nat(9);
const answer = fc.record({
  label: digit,
  digit,
  confidence: fc.double({ min: 0.2, max: 0.999, noNaN: true }),
});
const answers = fc.array(answer, { minLength: 1, maxLength: 300 });

/** Logits [N × 10] whose softmax gives each digit its confidence, and the others the rest in equal parts. */
function logitsOf(given: readonly { digit: number; confidence: number }[]): Float32Array {
  const logits = new Float32Array(10 * given.length);
  for (const [i, one] of given.entries())
    logits[10 * i + one.digit] = Math.log((9 * one.confidence) / (1 - one.confidence));
  return logits;
}

function summariseAll(given: readonly { label: number; digit: number; confidence: number }[]) {
  const labels = Uint8Array.from(given, ({ label }) => label);
  const predictions = Uint16Array.from(given, (one) => one.digit);
  return summarise(
    { name: 'mnist', labels: digitLabels },
    { count: given.length, labels },
    { predictions, logits: logitsOf(given) },
  );
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

describe('an evaluation', () => {
  it('counts answers by label and digit, and names the mistakes', () => {
    const evaluation = summariseAll([
      { label: 7, digit: 7, confidence: 0.75 },
      { label: 7, digit: 2, confidence: 0.5 },
      { label: 0, digit: 0, confidence: 0.9 },
      { label: 4, digit: 9, confidence: 0.875 },
      { label: 7, digit: 2, confidence: 0.5 },
    ]);
    const empty = Array.from({ length: 10 }, () => 0);
    expect(evaluation).toMatchObject({
      dataset: 'mnist',
      images: 5,
      accuracy: 0.4,
      confusion: empty.map((_, row) => {
        if (row === 0) return empty.with(0, 1);
        if (row === 4) return empty.with(9, 1);
        return row === 7 ? empty.with(7, 1).with(2, 2) : empty;
      }),
      misread: [
        { index: 3, label: 4, digit: 9, confidence: expect.closeTo(0.875) },
        { index: 1, label: 7, digit: 2, confidence: expect.closeTo(0.5) }, // of equals, the first image first
        { index: 4, label: 7, digit: 2, confidence: expect.closeTo(0.5) },
      ],
    });
  });

  it('has rows that sum to the labels, and a diagonal that is the accuracy', () => {
    fc.assert(
      fc.property(answers, (given) => {
        const { images, accuracy, confusion: matrix } = summariseAll(given);
        const confusion = matrix!;
        expect(images).toBe(given.length);
        for (const [label, row] of confusion.entries())
          expect(sum(row)).toBe(given.filter((one) => one.label === label).length);
        for (const column of confusion.keys()) {
          const answered = given.filter((one) => one.digit === column).length;
          expect(sum(confusion.map((row) => row[column]!))).toBe(answered);
        }
        expect(sum(confusion.map((row, label) => row[label]!)) / images).toBe(accuracy);
      }),
    );
  });

  it('names the surest mistakes, surest first, each as it was given, and leaves out none that is surer', () => {
    fc.assert(
      fc.property(answers, (given) => {
        const { misread } = summariseAll(given);
        const mistakes = given.filter((one) => one.label !== one.digit);
        const confidences = misread.map(({ confidence }) => confidence);
        const surest = mistakes.map(({ confidence }) => confidence).toSorted((a, b) => b - a);
        expect(confidences).toEqual(surest.slice(0, 100).map((confidence) => expect.closeTo(confidence)));
        expect(new Set(misread.map(({ index }) => index)).size).toBe(misread.length);
        for (const { index, ...one } of misread) {
          expect(one).toEqual({ ...given[index]!, confidence: expect.closeTo(given[index]!.confidence) });
          expect(one.label).not.toBe(one.digit);
        }
      }),
      { numRuns: runs(200) },
    );
  });

  it('takes less than 20 kB, whatever was got wrong', () => {
    const confidence = Math.fround(0.9876543);
    const given = Array.from({ length: 10_000 }, () => ({ label: 7, digit: 2, confidence }));
    const bytes = encodeEvaluation(summariseAll(given));
    expect(bytes.length).toBeLessThan(20_000);
    expect(evaluationSchema.parse(JSON.parse(bytes.toString()))).toEqual(summariseAll(given));
  });
});
