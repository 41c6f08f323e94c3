/** A frame along the picture's edge is taken off; a stroke along it is not. */
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { withoutFrame } from '../../../src/model/image/frame.ts';
import type { Greys } from '../../../src/model/image/greys.ts';
import { normalise } from '../../../src/model/image/normalise.ts';
import { readDigit } from '../../../src/model/image/read-digit.ts';
import {
  blank,
  cropped,
  difference,
  digitPicture,
  drawLine,
  enlarged,
  inverted,
  mean,
  placed,
  testDigit,
  testDigits,
} from './pictures.ts';

const digits = testDigits(40, 211);

type Sides = {
  readonly top?: boolean;
  readonly bottom?: boolean;
  readonly left?: boolean;
  readonly right?: boolean;
};
const all: Sides = { top: true, bottom: true, left: true, right: true };

/** White ink on black, like the digits. */
function framed(picture: Greys, thick: number, margin: number, sides: Sides, tone = 255): Greys {
  const { width, height } = picture;
  const target = { ...picture, values: picture.values.slice() };
  const fill = (x0: number, y0: number, x1: number, y1: number) => {
    for (let y = y0; y < y1; y++) target.values.fill(tone, y * width + x0, y * width + x1);
  };
  const [m, t] = [margin, thick];
  if (sides.top) fill(m, m, width - m, m + t);
  if (sides.bottom) fill(m, height - m - t, width - m, height - m);
  if (sides.left) fill(m, m, m + t, height - m);
  if (sides.right) fill(width - m - t, m, width - m, height - m);
  return target;
}

const onPaper = (pixels: Uint8Array, factor: number) => {
  const digit = enlarged(digitPicture(pixels), factor);
  const side = digit.width + 12 * factor;
  return placed(digit, side, side, 6 * factor, 6 * factor);
};

describe('a frame along the edge', () => {
  it.each<[string, number, number, number, Sides, number]>([
    ['of one pixel', 4, 1, 0, all, 255],
    ['of one pixel around a small picture', 1, 1, 0, all, 255],
    ['of three pixels', 4, 3, 0, all, 255],
    ['of eight pixels', 10, 8, 0, all, 255],
    ['with a margin', 4, 2, 3, all, 255],
    ['of a light grey', 4, 2, 0, all, 60],
    ['on three sides', 4, 2, 0, { ...all, right: false }, 255],
    ['on two sides', 4, 2, 0, { left: true, bottom: true }, 255],
    ['on one side', 4, 1, 0, { top: true }, 255],
  ])('%s changes nothing', (_name, factor, thick, margin, sides, tone) => {
    for (const pixels of digits) {
      const plain = onPaper(pixels, factor);
      const picture = framed(plain, thick, margin, sides, tone);
      const expected = normalise(plain)!;
      for (const each of [picture, inverted(picture)])
        expect(difference(normalise(each), expected)).toBeLessThan(1);
    }
  });

  it('with nothing in it has no ink', () => {
    expect(normalise(framed(blank(120, 120), 2, 0, all))).toBeNull();
    expect(normalise(inverted(framed(blank(120, 120), 2, 2, { ...all, top: false })))).toBeNull();
  });

  it('may be coloured, with round corners, in a JPEG', async () => {
    const far: number[] = [];
    for (const pixels of digits) {
      const { values, width, height } = inverted(onPaper(pixels, 5));
      const paper = sharp(values, { raw: { width, height, channels: 1 } })
        .resize(200, 200)
        .toColourspace('srgb');
      const ring = ringOf(200, 3);
      const bytes = await paper
        .composite([{ input: ring, raw: { width: 200, height: 200, channels: 4 } }])
        .jpeg()
        .toBuffer();
      const result = await readDigit(bytes);
      far.push(difference(result.ok ? result.pixels : null, normalise(onPaper(pixels, 5))!));
    }
    expect(mean(far)).toBeLessThan(8);
  });
});

/** RGBA: a red ring along the edge, its corners cut. */
function ringOf(side: number, thick: number): Buffer {
  const ring = Buffer.alloc(side * side * 4);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const [edgeX, edgeY] = [Math.min(x, side - 1 - x), Math.min(y, side - 1 - y)];
      if (Math.min(edgeX, edgeY) >= thick || edgeX + edgeY < 6) continue;
      ring.set([192, 32, 80, 255], (y * side + x) * 4);
    }
  }
  return ring;
}

describe('a stroke along the edge', () => {
  it('is left, in digits that are cut out tightly, but for one in a thousand that is mostly ink', () => {
    let taken = 0;
    for (let i = 0; i < 4000; i++) {
      const digit = cropped(digitPicture(testDigit(i)));
      for (const picture of [digit, enlarged(digit, 5), inverted(digit)])
        if (withoutFrame(picture) !== picture) taken++;
    }
    expect(taken).toBeLessThan(12);
  });

  it.each<[string, readonly (readonly [number, number])[]]>([
    [
      '7',
      [
        [0, 0],
        [94, 0],
        [30, 94],
      ],
    ],
    [
      '2',
      [
        [0, 20],
        [50, 0],
        [90, 30],
        [0, 94],
        [94, 94],
      ],
    ],
    [
      '4',
      [
        [94, 94],
        [94, 0],
        [0, 60],
        [94, 60],
      ],
    ],
    [
      'L',
      [
        [0, 0],
        [0, 94],
        [94, 94],
      ],
    ],
    [
      '1',
      [
        [0, 0],
        [0, 94],
      ],
    ],
  ])('is left, in a thin %s', (name, points) => {
    const picture = name === '1' ? blank(5, 99) : blank(99, 99);
    for (const [i, point] of points.slice(1).entries()) drawLine(picture, points[i]!, point, 5);
    expect(withoutFrame(picture)).toBe(picture);
  });
});

describe('strokes of one printed digit', () => {
  it.each<[number, number, number]>([
    [200, 280, 3],
    [300, 420, 5],
    [600, 800, 8],
    [200, 280, 10],
  ])('a 7 of %i×%i with a pen of %i px keeps its bar', (width, height, pen) => {
    const seven = blank(width, height);
    const m = Math.floor(pen / 2);
    drawLine(seven, [m, m], [width - 1 - m, m], pen);
    drawLine(seven, [width - 1 - m, m], [Math.floor(width / 3), height - 1 - m], pen);
    expect(withoutFrame(seven)).toBe(seven);
    expect(withoutFrame(inverted(seven)).height).toBe(height);
  });

  it.each([3, 10, 16, 22])('a 5 whose bar of %i px was drawn apart keeps it', (pen) => {
    const [width, height, m] = [200, 280, Math.floor(pen / 2)];
    const five = blank(width, height);
    drawLine(five, [m, m], [width - 1 - m, m], pen);
    drawLine(five, [m, 40], [m, 130], pen);
    drawLine(five, [m, 130], [width - 1 - m, 150], pen);
    drawLine(five, [width - 1 - m, 150], [width - 1 - m, 260], pen);
    drawLine(five, [width - 1 - m, 260], [m, height - 1 - m], pen);
    expect(withoutFrame(five)).toBe(five);
  });

  it.each<[number, number, number]>([
    [10, 56, 1],
    [6, 24, 1],
    [12, 40, 2],
    [40, 200, 3],
    [30, 100, 2],
  ])('a solid 1 of %i×%i with a margin of %i px is no empty field', (width, height, margin) => {
    const one = blank(width, height);
    for (let y = margin; y < height - margin; y++)
      one.values.fill(255, y * width + margin, (y + 1) * width - margin);
    expect(normalise(one)).not.toBeNull();
    expect(normalise(inverted(one))).not.toBeNull();
  });
});
