/** Stretches of pixels of one row: where to look in a picture that is blank for the most part. */
import type { Box } from './box.ts';
import type { Greys } from './greys.ts';
import type { Mask } from './mask.ts';
import { wordBytes, wordOf, wordsOf } from './words.ts';

/** In the order of reading. Run n lies in row `row[n]`, from `from[n]` up to, and without, `to[n]`. */
export type Runs = { readonly row: number[]; readonly from: number[]; readonly to: number[] };

/** All rows, each from end to end. */
export function wholeRows({ width, height }: Greys): Runs {
  const row = Array.from({ length: height }, (_, y) => y);
  return { row, from: row.map(() => 0), to: row.map(() => width) };
}

/** Runs that hold all pixels but those of one grey, and a few of those; four pixels are looked at at a time. */
export function runsUnlike({ values, width }: Greys, grey: number): Runs {
  const words = wordsOf(values);
  const blank = wordOf(grey);
  const runs: Runs = { row: [], from: [], to: [] };
  for (let word = 0; word < words.length; word++) {
    if (words[word] === blank) continue;
    const first = word;
    while (word < words.length && words[word] !== blank) word++;
    addRuns(runs, width, wordBytes * first, wordBytes * word);
  }
  addRuns(runs, width, wordBytes * words.length, values.length);
  return runs;
}

function addRuns({ row, from, to }: Runs, width: number, first: number, end: number): void {
  for (let start = first; start < end; ) {
    const y = Math.floor(start / width);
    const stop = Math.min(end, (y + 1) * width);
    const goesOn = row.at(-1) === y && to.at(-1) === start - y * width;
    if (goesOn) to[to.length - 1] = stop - y * width;
    else {
      row.push(y);
      from.push(start - y * width);
      to.push(stop - y * width);
    }
    start = stop;
  }
}

/** Neighbouring pixels of ink, or of paper, in each row. */
export function runsOf({ pixels, width, height }: Mask, value: 0 | 1): Runs {
  const runs: Runs = { row: [], from: [], to: [] };
  for (let y = 0; y < height; y++) {
    const row = y * width;
    for (let x = 0; x < width; x++) {
      if (pixels[row + x] !== value) continue;
      const from = x;
      while (x < width && pixels[row + x] === value) x++;
      runs.row.push(y);
      runs.from.push(from);
      runs.to.push(x);
    }
  }
  return runs;
}

/** Around all pixels of the runs whose greys are marked with 1 in a table [256]; empty where none is. */
export function boxOf({ values, width, height }: Greys, { row, from, to }: Runs, isMarked: Uint8Array): Box {
  let [x0, x1, y0, y1] = [width, -1, height, -1];
  for (let n = 0; n < row.length; n++) {
    if (y0 < height && from[n]! >= x0 && to[n]! <= x1 + 1) continue; // most runs
    const start = row[n]! * width;
    const left = firstMarked(values, isMarked, start + from[n]!, start + to[n]!) - start;
    if (left === to[n]) continue;
    let right = to[n]! - 1;
    while (isMarked[values[start + right]!] === 0) right--;
    x0 = Math.min(x0, left);
    x1 = Math.max(x1, right);
    y0 = Math.min(y0, row[n]!);
  }
  for (let n = row.length - 1; n >= 0 && y1 < y0; n--) {
    const start = row[n]! * width;
    const isInk = firstMarked(values, isMarked, start + from[n]!, start + to[n]!) < start + to[n]!;
    if (isInk) y1 = row[n]!;
  }
  return { x0, y0, x1, y1 };
}

/** The place of the first marked pixel from `start`; `end` where there is none before that. */
function firstMarked(values: Uint8Array, isMarked: Uint8Array, start: number, end: number): number {
  let i = start;
  while (i < end && isMarked[values[i]!] === 0) i++;
  return i;
}
