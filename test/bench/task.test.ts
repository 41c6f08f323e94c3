/** A bench refuses to compare what is not the same. */
import { expect, it } from 'vitest';
import { fingerprint } from '../../bench/lib/fingerprint.ts';
import { expectAccuracy, expectSameTask } from '../../bench/lib/task.ts';

const task = { version: 'any', parameters: 121_514, images: 60_000, sha256: 'a' };

it('takes the same network on the same data', () => {
  expect(() => expectSameTask('peer', { ...task, version: 'other' }, task)).not.toThrow();
});

it.each([{ parameters: 121_513 }, { images: 59_904 }, { sha256: 'b' }])(
  'refuses %j by name',
  (difference) => {
    const [key] = Object.keys(difference);
    expect(() => expectSameTask('peer', { ...task, ...difference }, task)).toThrow(
      new RegExp(`^peer trains something else: expected ${key}`),
    );
  },
);

it.each([0.1, 1, Number.NaN])('refuses an accuracy of %d', (accuracy) => {
  expect(() => expectAccuracy('peer', accuracy, 0.6)).toThrow('peer has not learned');
});

it('takes an accuracy in range', () => {
  expect(() => expectAccuracy('peer', 0.99, 0.99)).not.toThrow();
});

it('two splits that differ in one label have different fingerprints', () => {
  const split = { count: 2, images: new Uint8Array(2 * 784), labels: Uint8Array.of(1, 2) };
  expect(fingerprint(split)).toMatch(/^[0-9a-f]{64}$/);
  expect(fingerprint({ ...split, labels: Uint8Array.of(1, 3) })).not.toBe(fingerprint(split));
});
