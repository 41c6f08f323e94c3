/** Pictures made from MNIST digits in plain TypeScript, and how far a result is from the digit. */
import { imageAt, imageSide } from '../../../src/model/data/dataset.ts';
import type { Greys } from '../../../src/model/image/greys.ts';
import { normaliseWithWarnings } from '../../../src/model/image/normalise.ts';
import type { WarningCode } from '../../../src/model/image/warnings.ts';
import { mnist } from '../data/mnist.ts';

/** The pixels [784] of an MNIST test image. */
export function testDigit(index: number): Uint8Array {
  return new Uint8Array(imageAt(mnist.test, index));
}

/** Every `step`-th one, from the first. */
export function testDigits(count: number, step: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => testDigit(i * step));
}

/** An MNIST test image without the black around it, every pixel `factor` × `factor` times. */
export function inkOf(index: number, factor: number): Greys {
  return enlarged(cropped(digitPicture(testDigit(index))), factor);
}

/** What normalising a picture warns of; undefined where there is no ink. */
export function codesOf(picture: Greys): WarningCode[] | undefined {
  return normaliseWithWarnings(picture)?.warnings.map(({ code }) => code);
}

export function digitPicture(pixels: Uint8Array): Greys {
  return { values: pixels, width: imageSide, height: imageSide };
}

export function inverted({ values, width, height }: Greys): Greys {
  return { values: values.map((value) => 255 - value), width, height };
}

/** Every pixel `factor` × `factor` times. */
export function enlarged({ values, width, height }: Greys, factor: number): Greys {
  const target = blank(width * factor, height * factor);
  for (let y = 0; y < height; y++) {
    const start = y * factor * target.width;
    for (let x = 0; x < width; x++)
      target.values.fill(values[y * width + x]!, start + x * factor, start + (x + 1) * factor);
    for (let copy = 1; copy < factor; copy++)
      target.values.copyWithin(start + copy * target.width, start, start + target.width);
  }
  return target;
}

/** The part with ink and a margin. */
export function cropped({ values, width, height }: Greys, margin = 0): Greys {
  let [x0, y0, x1, y1] = [width, height, -1, -1];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (values[y * width + x] === 0) continue;
      [x0, x1] = [Math.min(x0, x), Math.max(x1, x)];
      [y0, y1] = [Math.min(y0, y), y];
    }
  }
  const [left, top] = [Math.max(0, x0 - margin), Math.max(0, y0 - margin)];
  const target = blank(
    Math.min(width - 1, x1 + margin) - left + 1,
    Math.min(height - 1, y1 + margin) - top + 1,
  );
  for (let y = 0; y < target.height; y++) {
    const start = (top + y) * width + left;
    target.values.set(values.subarray(start, start + target.width), y * target.width);
  }
  return target;
}

/** `picture` on a larger black canvas. */
export function placed(picture: Greys, width: number, height: number, left: number, top: number): Greys {
  const target = blank(width, height);
  for (let y = 0; y < picture.height; y++) {
    const row = picture.values.subarray(y * picture.width, (y + 1) * picture.width);
    target.values.set(row, (top + y) * width + left);
  }
  return target;
}

/** Black. */
export function blank(width: number, height: number): Greys {
  return { values: new Uint8Array(width * height), width, height };
}

/** A line drawn with a square pen. */
export function drawLine(
  { values, width }: Greys,
  from: readonly [number, number],
  to: readonly [number, number],
  pen: number,
  tone = 255,
): void {
  const steps = Math.max(Math.abs(to[0] - from[0]), Math.abs(to[1] - from[1]));
  for (let i = 0; i <= steps; i++) {
    const x = Math.round(from[0] + ((to[0] - from[0]) * i) / steps);
    const y = Math.round(from[1] + ((to[1] - from[1]) * i) / steps);
    for (let row = y; row < y + pen; row++) values.fill(tone, row * width + x, row * width + x + pen);
  }
}

/** Mean absolute difference in levels; 255 where there is no result. */
export function difference(result: Uint8Array | null, digit: Uint8Array): number {
  if (!result) return 255;
  return digit.reduce((sum, value, i) => sum + Math.abs(value - result[i]!), 0) / digit.length;
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
