/**
 * A small digit on a large page. Its ink is so small a part of the page that it passes for specks by its amount; but specks
 * are single pixels far from each other, and a digit's pixels lie side by side.
 */
import { borderOf } from './border.ts';
import type { Box } from './box.ts';
import type { Greys } from './greys.ts';

const cellSide = 8; // pixels
const leastPixels = 24; // of ink in one shape; specks and their surroundings have fewer
const leastContrast = 32; // levels
const largest = 1 / 6; // of the page's longer side
const mostBeside = 0.25; // of the shape's ink, in any other shape: specks

/** Pixels of ink in each cell of a grid over the page. */
type Grid = { readonly counts: Uint16Array; readonly width: number; readonly height: number };

/** The box, in pixels, around the neighbouring cells that have the most ink; null where there are only specks. */
export function findSmallShape(greys: Greys): Box | null {
  const [first] = shapesOf(countInk(greys));
  return first && first.pixels >= leastPixels ? toPixels(first.box, greys) : null;
}

/** Likewise, where the page has ink enough: only of a shape that is small and beside which there are but specks. */
export function findAmongSpecks(greys: Greys): Box | null {
  const [first, second] = shapesOf(countInk(greys));
  if (!first || !second || first.pixels < leastPixels || second.pixels > mostBeside * first.pixels)
    return null;
  const { x0, x1, y0, y1 } = first.box;
  const longest = (Math.max(x1 - x0, y1 - y0) + 1) * cellSide;
  return longest <= largest * Math.max(greys.width, greys.height) ? toPixels(first.box, greys) : null;
}

/** Neighbouring cells with ink, the shape with the most ink first. */
function shapesOf(grid: Grid): Shape[] {
  const seen = new Uint8Array(grid.counts.length);
  const shapes: Shape[] = [];
  for (let cell = 0; cell < seen.length; cell++)
    if (!seen[cell] && grid.counts[cell] !== 0) shapes.push(follow(grid, cell, seen));
  return shapes.toSorted((a, b) => b.pixels - a.pixels);
}

function countInk(greys: Greys): Grid {
  const { values, width, height } = greys;
  const { level, noise } = borderOf(greys);
  const contrast = Math.max(leastContrast, 6 * noise);
  const [columns, rows] = [Math.ceil(width / cellSide), Math.ceil(height / cellSide)];
  const counts = new Uint16Array(columns * rows);
  for (let y = 0, i = 0; y < height; y++) {
    const row = Math.floor(y / cellSide) * columns;
    for (let x = 0; x < width; x++, i++)
      if (Math.abs(values[i]! - level) > contrast) counts[row + Math.floor(x / cellSide)]!++;
  }
  return { counts, width: columns, height: rows };
}

type Shape = { readonly pixels: number; readonly box: Box };

/** The cells with ink that hang together with this one, corners included. */
function follow({ counts, width, height }: Grid, start: number, seen: Uint8Array): Shape {
  let pixels = 0;
  let [x0, x1, y0, y1] = [width, -1, height, -1];
  const toVisit = [start];
  seen[start] = 1;
  for (let cell = toVisit.pop(); cell !== undefined; cell = toVisit.pop()) {
    const [x, y] = [cell % width, Math.floor(cell / width)];
    pixels += counts[cell]!;
    [x0, x1, y0, y1] = [Math.min(x0, x), Math.max(x1, x), Math.min(y0, y), Math.max(y1, y)];
    for (let row = Math.max(0, y - 1); row <= Math.min(height - 1, y + 1); row++) {
      for (let column = Math.max(0, x - 1); column <= Math.min(width - 1, x + 1); column++) {
        const next = row * width + column;
        if (seen[next] || counts[next] === 0) continue;
        seen[next] = 1;
        toVisit.push(next);
      }
    }
  }
  return { pixels, box: { x0, y0, x1, y1 } };
}

function toPixels({ x0, y0, x1, y1 }: Box, { width, height }: Greys): Box {
  return {
    x0: x0 * cellSide,
    y0: y0 * cellSide,
    x1: Math.min(width, (x1 + 1) * cellSide) - 1,
    y1: Math.min(height, (y1 + 1) * cellSide) - 1,
  };
}
