/**
 * Connected shapes of ink, found by runs of pixels in a row that touch runs in the row above.
 * Source: A. Rosenfeld, J. Pfaltz, Sequential operations in digital picture processing, 1966.
 */
import type { Box } from './box.ts';
import type { Mask } from './mask.ts';
import { type Runs, runsOf } from './runs.ts';

export type Shape = { readonly box: Box; readonly pixels: number; readonly label: number };

export type Shapes = { readonly labels: Int32Array; readonly shapes: readonly Shape[] }; // labels: 0 where there is no ink

/** Pixels that hang together, corners included, the largest shape first. Shapes of less than `least` pixels are left out. */
export function findShapes(mask: Mask, least = 1): Shapes {
  const runs = runsOf(mask, 1);
  const found = shapesOf(joined(runs, 1), runs);
  const labels = new Int32Array(mask.pixels.length);
  for (let n = 0; n < found.labels.length; n++) {
    const [start, label] = [runs.row[n]! * mask.width, found.labels[n]!];
    for (let i = start + runs.from[n]!; i < start + runs.to[n]!; i++) labels[i] = label;
  }
  const shapes = found.shapes.filter(({ pixels }) => pixels >= least);
  return { labels, shapes: shapes.toSorted((a, b) => b.pixels - a.pixels) };
}

/** Areas of paper, which hang together by their sides only. */
export function findPaper(mask: Mask): readonly Shape[] {
  const runs = runsOf(mask, 0);
  return shapesOf(joined(runs, 0), runs).shapes;
}

/** For each run the first run that it hangs together with; `reach`: 1 where corners count, else 0. */
function joined({ row, from, to }: Runs, reach: 0 | 1): Int32Array {
  const first = new Int32Array(row.length); // or one on the way there, until the end
  let above = 0;
  for (let n = 0; n < row.length; n++) {
    first[n] = n;
    const y = row[n]! - 1;
    while (row[above]! < y || (row[above] === y && to[above]! + reach <= from[n]!)) above++;
    for (let other = above; row[other] === y && from[other]! < to[n]! + reach; other++) {
      const [one, two] = [firstOf(first, n), firstOf(first, other)];
      first[Math.max(one, two)] = Math.min(one, two);
    }
  }
  for (let n = 0; n < first.length; n++) first[n] = first[first[n]!]!;
  return first;
}

function firstOf(first: Int32Array, run: number): number {
  let n = run;
  while (first[n] !== n) n = first[n]!;
  return n;
}

/** Shapes and the label of each run's, counted from 1 in the order in which they begin. */
function shapesOf(first: Int32Array, { row, from, to }: Runs): { labels: Int32Array; shapes: Shape[] } {
  const labels = new Int32Array(first.length);
  const shapes: { box: Mutable<Box>; pixels: number; label: number }[] = [];
  for (let n = 0; n < first.length; n++) {
    const [x0, x1, y] = [from[n]!, to[n]! - 1, row[n]!];
    if (first[n] === n) {
      labels[n] = shapes.length + 1;
      shapes.push({ box: { x0, x1, y0: y, y1: y }, pixels: 0, label: labels[n]! });
    }
    labels[n] = labels[first[n]!]!;
    const shape = shapes[labels[n]! - 1]!;
    shape.pixels += x1 - x0 + 1;
    shape.box.x0 = Math.min(shape.box.x0, x0);
    shape.box.x1 = Math.max(shape.box.x1, x1);
    shape.box.y1 = y;
  }
  return { labels, shapes };
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };
