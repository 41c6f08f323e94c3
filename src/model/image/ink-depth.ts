/** How deep each pixel of ink lies in its stroke, and how wide strokes are. */
import type { Mask } from './mask.ts';

const corner = 4 / 3; // pixels from one corner to the next, which keeps the distance within 8 % of the true one

/** [height × width]: pixels to the nearest paper, 0 on paper, by the chamfer distance 3-4 (Borgefors, 1986). */
export function depthsOf({ pixels, width, height }: Mask): Float32Array {
  const depths = new Float32Array(pixels.length);
  const at = (x: number, y: number) =>
    x < 0 || x >= width || y < 0 || y >= height ? 0 : depths[y * width + x]!;
  const nearest = (x: number, y: number, before: -1 | 1) =>
    Math.min(
      at(x + before, y) + 1,
      at(x, y + before) + 1,
      at(x - 1, y + before) + corner,
      at(x + 1, y + before) + corner,
    );
  for (let y = 0, i = 0; y < height; y++)
    for (let x = 0; x < width; x++, i++) if (pixels[i]) depths[i] = nearest(x, y, -1);
  for (let y = height - 1, i = pixels.length - 1; y >= 0; y--)
    for (let x = width - 1; x >= 0; x--, i--)
      if (pixels[i]) depths[i] = Math.min(depths[i]!, nearest(x, y, 1));
  return depths;
}

/**
 * Mean width of the strokes in pixels: a stroke of width w and length l has area w·l and outline 2·l, and outlines in all
 * directions cross rows and columns 4/π times their length. 0 where there is no ink.
 */
export function strokeWidthOf({ pixels, width }: Mask): number {
  let [area, crossings] = [0, 0];
  for (let i = 0; i < pixels.length; i++) {
    if (!pixels[i]) continue;
    const x = i % width;
    area++;
    crossings += Number(x === 0 || !pixels[i - 1]) + Number(x === width - 1 || !pixels[i + 1]);
    crossings += Number(!pixels[i - width]) + Number(!pixels[i + width]);
  }
  return crossings === 0 ? 0 : (2 * area) / ((crossings * Math.PI) / 4);
}
