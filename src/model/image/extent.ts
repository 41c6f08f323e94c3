import type { Box } from './box.ts';

/** Where the ink of a white-on-black map lies. */
export type Extent = {
  readonly box: Box; // around all that is not black; empty (x1 < x0) where all is
  readonly longest: number; // pixels, the box's longer side
  readonly strongest: number; // 0 to 255
  readonly x: number; // centre of mass, in pixel indices
  readonly y: number;
};

export function extentOf(pixels: Uint8Array, width: number): Extent {
  const height = pixels.length / width;
  let [x0, x1, y0, y1] = [width, -1, height, -1];
  let [mass, massX, massY, strongest] = [0, 0, 0, 0];
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const value = pixels[i]!;
      if (value === 0) continue;
      if (x < x0) x0 = x;
      if (x > x1) x1 = x;
      if (y < y0) y0 = y;
      y1 = y;
      if (value > strongest) strongest = value;
      mass += value;
      massX += value * x;
      massY += value * y;
    }
  }
  const longest = Math.max(x1 - x0, y1 - y0) + 1;
  return { box: { x0, y0, x1, y1 }, longest, strongest, x: massX / mass, y: massY / mass };
}
