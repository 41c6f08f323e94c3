/** A small digit on a large page is found; specks and paper are not taken for one. */
import * as fc from 'fast-check';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { randomFor } from '../../../src/lib/random.ts';
import { normalise } from '../../../src/model/image/normalise.ts';
import { readDigit } from '../../../src/model/image/read-digit.ts';
import { isLong } from '../../long.ts';
import { blank, cropped, difference, digitPicture, inverted, placed, testDigit } from './pictures.ts';

/** In fewer than one in a hundred, specks as faint as noise decide the size. They look like specks of the paper. */
const isBoxedBySpecks = (i: number) => {
  const all = cropped(digitPicture(testDigit(i)));
  const strong = cropped(digitPicture(testDigit(i).map((value) => (value > 77 ? value : 0))));
  return all.width - strong.width > 2 || all.height - strong.height > 2;
};
const testImages = Array.from({ length: 10_000 }, (_, i) => i);
const clearDigits = testImages.filter((i) => !isBoxedBySpecks(i));
const isClear = new Set(clearDigits);

describe('a digit of 20 to 28 pixels', () => {
  it.each([
    [1000, 1414],
    [2000, 2000],
    [1240, 1754],
    [3000, 700],
    [600, 600],
    [400, 300],
  ])('is read on a page of %i × %i, wherever it is, among specks', (width, height) => {
    fc.assert(
      fc.property(
        fc.constantFrom(...clearDigits),
        fc.nat(width - 40),
        fc.nat(height - 40),
        fc.array(fc.tuple(fc.nat(width - 1), fc.nat(height - 1)), { maxLength: 6 }),
        (i, left, top, specks) => {
          const page = placed(cropped(digitPicture(testDigit(i))), width, height, left + 4, top + 4);
          const isFar = ([x, y]: [number, number]) =>
            Math.abs(x - left - 14) > 60 || Math.abs(y - top - 14) > 60;
          for (const [x, y] of specks.filter(isFar)) page.values[y * width + x] = 255;
          expect(difference(normalise(inverted(page)), testDigit(i))).toBeLessThan(8);
        },
      ),
      { numRuns: isLong ? 12 : 4 },
    );
  });

  it('is read whichever of the test images it is, but for ten with faint specks', () => {
    const isRead = (i: number) => {
      const page = placed(cropped(digitPicture(testDigit(i))), 60, 50, 20, 10);
      return difference(normalise(inverted(page)), testDigit(i)) < 8;
    };
    const tried = testImages.filter((i) => isLong || i % 10 === 0 || !isClear.has(i));
    const unread = tried.filter((i) => !isRead(i));
    expect(unread.filter((i) => isClear.has(i))).toEqual([]);
    expect(unread.length).toBeLessThanOrEqual(10);
  });

  it.each([
    ['JPEG', 0],
    ['noisy paper', 6],
    ['a scan with a gradient', -40],
  ])('is read from %s', async (_kind, disturbance) => {
    const [width, height] = [1000, 1414];
    const random = randomFor(1, 'paper');
    const level = Math.max(0, disturbance);
    const noise = new Int8Array(width * height);
    if (level > 0)
      for (let i = 0; i < noise.length; i++) noise[i] = uniformInt(random, -level, level) - level;
    let far = 0;
    for (let n = 0; n < 10; n++) {
      const page = inverted(
        placed(digitPicture(testDigit(n * 97)), width, height, 100 + 70 * n, 1200 - 110 * n),
      );
      for (let i = 0; i < page.values.length; i++) {
        const grain = noise[(i + 99_991 * n) % noise.length]!; // other grain at each place of each page
        const light = disturbance < 0 ? (disturbance * (i % width)) / width : 0;
        page.values[i] = Math.max(0, page.values[i]! + grain + light);
      }
      const bytes = await sharp(page.values, { raw: { width, height, channels: 1 } })
        .jpeg()
        .toBuffer();
      const result = await readDigit(bytes);
      if (difference(result.ok ? result.pixels : null, testDigit(n * 97)) > 14) far++;
    }
    expect(far).toBeLessThanOrEqual(1);
  });
});

describe('a page without a digit', () => {
  it.each([
    ['blank', 0, 0],
    ['of noisy paper', 8, 0],
    ['with specks', 0, 60],
    ['of noisy paper with specks', 6, 60],
  ])('%s has no ink', (_kind, noise, specks) => {
    const [width, height] = [1000, 1414];
    const random = randomFor(2, 'paper');
    const page = inverted(blank(width, height));
    for (let i = 0; i < page.values.length; i++)
      page.values[i] = 255 - noise + uniformInt(random, -noise, noise);
    for (let n = 0; n < specks; n++) page.values[uniformInt(random, 0, page.values.length - 1)] = 0;
    expect(normalise(page)).toBeNull();
  });
});
