import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { describe, expect, it } from 'vitest';
import { randomFor } from '../../../src/lib/random.ts';
import { boxOf, type Runs, runsUnlike, wholeRows } from '../../../src/model/image/runs.ts';

const sizes = [
  [28, 28],
  [5, 7],
  [1, 9],
  [13, 3],
  [3, 1],
] as const;

/** A picture of paper with some other pixels, a Buffer at some offset, as decoded ones may be. */
function picture([width, height]: readonly [number, number], seed: number) {
  const random = randomFor(seed, `runs ${width}`);
  const values = Buffer.alloc(width * height + 3)
    .subarray(seed % 4, (seed % 4) + width * height)
    .fill(200);
  for (let i = 0; i < values.length; i++)
    if (uniformInt(random, 0, 9) === 0) values[i] = uniformInt(random, 0, 255);
  return { values, width, height };
}

const pixelsOf = ({ row, from, to }: Runs, width: number) =>
  row.flatMap((y, n) => Array.from({ length: to[n]! - from[n]! }, (_, x) => y * width + from[n]! + x));

describe.each(sizes)('runs in a picture of %i × %i', (width, height) => {
  it.each([0, 1, 2, 3])('hold each pixel that differs from the paper, once and in order (%i)', (seed) => {
    const made = picture([width, height], seed);
    const pixels = pixelsOf(runsUnlike(made, 200), width);
    expect(pixels).toEqual([...new Set(pixels)].toSorted((a, b) => a - b));
    const differing = [...made.values.keys()].filter((i) => made.values[i] !== 200);
    expect(differing.filter((i) => !pixels.includes(i))).toEqual([]);
    expect(pixels.length).toBeLessThanOrEqual(4 * differing.length + 3);
  });

  it.each([0, 1, 2, 3])('give the box around marked pixels (%i)', (seed) => {
    const made = picture([width, height], seed);
    const isMarked = Uint8Array.from({ length: 256 }, (_, grey) => Number(grey < 100));
    const marked = [...made.values.keys()].filter((i) => made.values[i]! < 100);
    const [xs, ys] = [marked.map((i) => i % width), marked.map((i) => Math.floor(i / width))];
    const box =
      marked.length === 0
        ? { x0: width, x1: -1, y0: height, y1: -1 }
        : { x0: Math.min(...xs), x1: Math.max(...xs), y0: Math.min(...ys), y1: Math.max(...ys) };
    expect(boxOf(made, runsUnlike(made, 200), isMarked)).toEqual(box);
    expect(boxOf(made, wholeRows(made), isMarked)).toEqual(box);
  });
});
