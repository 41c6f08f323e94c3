import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutPaths } from '../../../src/model/image/cut-paths.ts';
import { depthsOf, strokeWidthOf } from '../../../src/model/image/ink-depth.ts';
import type { Mask } from '../../../src/model/image/mask.ts';

const [width, height] = [12, 9];
const masks = fc
  .array(fc.boolean(), { minLength: width * height, maxLength: width * height })
  .map((inked): Mask => ({ pixels: Uint8Array.from(inked, Number), width, height }));

function draw(across: number, down: number, isInk: (x: number, y: number) => boolean): Mask {
  const pixels = Uint8Array.from({ length: across * down }, (_, i) =>
    Number(isInk(i % across, Math.floor(i / across))),
  );
  return { pixels, width: across, height: down };
}

/** Paper surrounds the mask. */
function nearestPaper({ pixels }: Mask, x: number, y: number): number {
  const isPaper = (u: number, v: number) =>
    u < 0 || u >= width || v < 0 || v >= height || !pixels[v * width + u];
  let nearest = Number.POSITIVE_INFINITY;
  for (let v = -1; v <= height; v++)
    for (let u = -1; u <= width; u++)
      if (isPaper(u, v)) nearest = Math.min(nearest, Math.hypot(u - x, v - y));
  return nearest;
}

describe('how deep ink lies', () => {
  it('is the distance to the nearest paper, within 6 %', () => {
    fc.assert(
      fc.property(masks, (mask) => {
        for (const [i, depth] of depthsOf(mask).entries()) {
          const exact = nearestPaper(mask, i % width, Math.floor(i / width));
          expect(depth).toBeGreaterThanOrEqual(0.94 * exact);
          expect(depth).toBeLessThanOrEqual(1.06 * exact);
        }
      }),
    );
  });
});

describe('the width of strokes', () => {
  it.each([4, 8, 12])('is that of a ring %i pixels wide', (stroke) => {
    const ring = draw(100, 100, (x, y) => {
      const radius = Math.hypot(x - 49.5, y - 49.5);
      return radius < 48 && radius >= 48 - stroke;
    });
    expect(strokeWidthOf(ring) / stroke).toBeGreaterThan(0.9);
    expect(strokeWidthOf(ring) / stroke).toBeLessThan(1.1);
  });

  it('is 0 where there is no ink', () => {
    expect(strokeWidthOf(draw(5, 4, () => false))).toBe(0);
  });
});

describe('cuts', () => {
  const [across, down, stroke, overlap] = [50, 80, 8, 4]; // pixels, of two tall noughts whose sides share ink
  const isNought = (x: number, y: number) => {
    const radius = across / 2;
    const nearest = Math.min(down - radius, Math.max(radius, y + 0.5)); // of the middles of its round ends
    const far = Math.hypot(x + 0.5 - radius, y + 0.5 - nearest);
    return far < radius && far >= radius - stroke;
  };
  const second = across - overlap; // the column where it begins
  const noughts = draw(second + across, down, (x, y) => isNought(x, y) || isNought(x - second, y));

  it('run down the middle of two strokes that have grown together', () => {
    const inTheWall = cutPaths(noughts).filter(({ columns }) =>
      columns.every((x) => x >= second - stroke / 2 && x < second + overlap + stroke / 2),
    );
    expect(inTheWall).toHaveLength(1);
    expect(inTheWall[0]!.cost).toBeLessThan(2 * stroke); // as a cut across both strokes of a nought would
  });

  it('leave a stroke as wide as others whole', () => {
    const { length } = cutPaths(draw(across, down, isNought)).filter(({ columns }) =>
      columns.every((x) => x < stroke || x >= across - stroke),
    );
    expect(length).toBe(0);
  });

  it('are none where there is no ink', () => {
    expect(cutPaths(draw(30, 30, () => false)).filter(({ cost }) => cost > 0)).toEqual([]);
  });
});
