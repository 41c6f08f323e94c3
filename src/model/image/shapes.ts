/** Connected shapes of ink. */
import type { Box } from './ink.ts';
import type { Mask } from './straight-lines.ts';

export type Shape = { readonly box: Box; readonly pixels: number; readonly label: number };

export type Shapes = { readonly labels: Int32Array; readonly shapes: readonly Shape[] }; // labels: 0 where there is no ink

/** Pixels that hang together, corners included, the largest shape first. Shapes of less than `least` pixels are left out. */
export function findShapes({ pixels, width, height }: Mask, least = 1): Shapes {
  const labels = new Int32Array(pixels.length);
  const shapes: Shape[] = [];
  const stack = new Int32Array(pixels.length);
  for (let start = 0; start < pixels.length; start++) {
    if (!pixels[start] || labels[start]) continue;
    const label = shapes.length + 1;
    labels[start] = label;
    stack[0] = start;
    let [count, size] = [1, 0];
    let [x0, x1, y0, y1] = [width, -1, height, -1];
    while (count > 0) {
      const i = stack[--count]!;
      size++;
      const y = Math.floor(i / width);
      const x = i - y * width;
      if (x < x0) x0 = x;
      if (x > x1) x1 = x;
      if (y < y0) y0 = y;
      if (y > y1) y1 = y;
      for (let row = Math.max(0, y - 1); row <= Math.min(height - 1, y + 1); row++) {
        for (let j = row * width + Math.max(0, x - 1); j <= row * width + Math.min(width - 1, x + 1); j++) {
          if (!pixels[j] || labels[j]) continue;
          labels[j] = label;
          stack[count++] = j;
        }
      }
    }
    shapes.push({ box: { x0, y0, x1, y1 }, pixels: size, label });
  }
  return {
    labels,
    shapes: shapes.filter((shape) => shape.pixels >= least).toSorted((a, b) => b.pixels - a.pixels),
  };
}

export const widthOf = (box: Box) => box.x1 - box.x0 + 1;
export const heightOf = (box: Box) => box.y1 - box.y0 + 1;
export const longestOf = (box: Box) => Math.max(widthOf(box), heightOf(box));

export function union(a: Box, b: Box): Box {
  return {
    x0: Math.min(a.x0, b.x0),
    y0: Math.min(a.y0, b.y0),
    x1: Math.max(a.x1, b.x1),
    y1: Math.max(a.y1, b.y1),
  };
}
