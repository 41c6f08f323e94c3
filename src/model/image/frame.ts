/**
 * A thin frame along the picture's edge, such as that of a form field or a screenshot, on any of its sides. It is
 * taken off, since it would pass for ink. A stroke along the edge of a picture that is cut out tightly is no frame: other
 * ink is joined to it or touches the edges too, or nothing is left without it.
 */
import { histogram, medianOf } from '../../lib/counts.ts';
import type { Greys } from './greys.ts';

const leastContrast = 32; // levels between the line and the paper
const widest = 0.1; // of the side, margin included
const lineShare = 0.95; // of a row's pixels, for it to be a line
const lineEnds = 0.1; // of a row, at each end, that do not count
const cleanShare = 0.02; // … at most, for it to be clear of ink
const clearBand = 0.03; // of the shorter side: ink beside a frame on one or two sides keeps this far from every edge
const tall = 2; // height to width; a shape of one tone that is taller is a 1, not an empty field

/** A part of a picture, and where it lies in that. */
export type Part = { readonly greys: Greys; readonly x: number; readonly y: number };

/** The picture without its frame; itself where it has none. */
export function withoutFrame(greys: Greys): Greys {
  return insideFrame(greys).greys;
}

/** Likewise, and where that lies in the picture. */
export function insideFrame(greys: Greys): Part {
  const whole = { greys, x: 0, y: 0 };
  const { width, height } = greys;
  if (Math.min(width, height) < 8) return whole;
  const paper = paperTone(greys);
  const top = lineAt(rowsFrom(greys, 0, 1), paper);
  const bottom = lineAt(rowsFrom(greys, height - 1, -1), paper);
  const left = lineAt(columnsFrom(greys, 0, 1), paper);
  const right = lineAt(columnsFrom(greys, width - 1, -1), paper);
  if (!top && !bottom && !left && !right) return whole;
  const [x0, x1] = [depthOf(left), width - depthOf(right)];
  const [y0, y1] = [depthOf(top), height - depthOf(bottom)];
  const cut = {
    y0: top ? clearOf(rowsFrom(greys, 0, 1, x0, x1), top, paper) : 0,
    y1: bottom ? clearOf(rowsFrom(greys, height - 1, -1, x0, x1), bottom, paper) : 0,
    x0: left ? clearOf(columnsFrom(greys, 0, 1, y0, y1), left, paper) : 0,
    x1: right ? clearOf(columnsFrom(greys, width - 1, -1, y0, y1), right, paper) : 0,
  };
  if (cut.x0 + cut.x1 + cut.y0 + cut.y1 === 0) return whole;
  const inside = crop(greys, cut.x0, cut.y0, width - cut.x1, height - cut.y1);
  const sides = [cut.x0, cut.x1, cut.y0, cut.y1].filter((lines) => lines > 0).length;
  const part = { greys: inside, x: cut.x0, y: cut.y0 };
  if (!hasInk(inside, paper)) return sides >= 3 && height < tall * width ? part : whole; // an empty field, or a 1
  return sides >= 3 || isClearOfEdges(inside, paper) ? part : whole;
}

/** The part from (x0, y0) up to, and without, (x1, y1). */
export function crop({ values, width }: Greys, x0: number, y0: number, x1: number, y1: number): Greys {
  const part = new Uint8Array((x1 - x0) * (y1 - y0));
  for (let y = y0; y < y1; y++)
    part.set(values.subarray(y * width + x0, y * width + x1), (y - y0) * (x1 - x0));
  return { values: part, width: x1 - x0, height: y1 - y0 };
}

/** Lines of pixels parallel to one side, from that side inwards. */
type Lines = {
  readonly values: Uint8Array;
  readonly count: number; // that may belong to a frame
  readonly length: number; // pixels of each
  readonly at: (line: number) => number; // index of its first pixel
  readonly step: number; // from pixel to pixel
};

function rowsFrom({ values, width, height }: Greys, first: number, sign: 1 | -1, x0 = 0, x1 = width): Lines {
  const at = (line: number) => (first + sign * line) * width + x0;
  return { values, count: mostLines(height), length: x1 - x0, at, step: 1 };
}

function columnsFrom(
  { values, width, height }: Greys,
  first: number,
  sign: 1 | -1,
  y0 = 0,
  y1 = height,
): Lines {
  const at = (line: number) => y0 * width + first + sign * line;
  return { values, count: mostLines(width), length: y1 - y0, at, step: width };
}

const mostLines = (side: number) => Math.max(3, Math.floor(widest * side));

/** Which lines are the frame, and which way it differs from the paper. */
type Frame = { readonly last: number; readonly sign: 1 | -1 };

/** Null where no line is of one tone that is not the paper's, or where it goes on for too long. */
function lineAt(lines: Lines, paper: number): Frame | null {
  for (let line = 0; line < lines.count; line++) {
    for (const sign of [1, -1] as const) {
      if (!isFrameLine(lines, line, paper, sign)) continue;
      let last = line;
      while (last + 1 < lines.count && isFrameLine(lines, last + 1, paper, sign)) last++;
      return last + 1 < lines.count ? { last, sign } : null;
    }
  }
  return null;
}

/** How many lines go with the frame, its soft edge included; 0 where what follows is joined to it. */
function clearOf(lines: Lines, { last, sign }: Frame, paper: number): number {
  for (let line = last + 1; line <= Math.min(last + 2, lines.count); line++)
    if (isClean(lines, line, paper, sign)) return line;
  return 0;
}

const depthOf = (frame: Frame | null) => (frame === null ? 0 : frame.last + 3);

/**
 * Whether enough of a line's pixels differ from the paper, without its ends, where corners may be round. Stops at the
 * first pixel that settles it: most lines are paper, and most pictures have no frame.
 */
function isFrameLine(
  { values, length, at, step }: Lines,
  line: number,
  paper: number,
  sign: number,
): boolean {
  const [from, to] = [Math.floor(lineEnds * length), Math.ceil((1 - lineEnds) * length)];
  const most = to - from;
  let count = most;
  for (let n = from, i = at(line) + from * step; n < to; n++, i += step)
    if ((values[i]! - paper) * sign <= leastContrast && --count / most < lineShare) return false;
  return most > 0;
}

/** Whether so few of a line's pixels differ from the paper that no ink crosses it. */
function isClean({ values, length, at, step }: Lines, line: number, paper: number, sign: number): boolean {
  let count = 0;
  for (let n = 0, i = at(line); n < length; n++, i += step)
    if ((values[i]! - paper) * sign > leastContrast) count++;
  return count / Math.max(1, length) <= cleanShare;
}

function isClearOfEdges(greys: Greys, paper: number): boolean {
  const { width, height } = greys;
  const band = Math.max(1, Math.round(clearBand * Math.min(width, height)));
  if (2 * band >= Math.min(width, height)) return false;
  const edges = [
    crop(greys, 0, 0, width, band),
    crop(greys, 0, height - band, width, height),
    crop(greys, 0, 0, band, height),
    crop(greys, width - band, 0, width, height),
  ];
  return !edges.some((edge) => hasInk(edge, paper));
}

function hasInk({ values }: Greys, paper: number): boolean {
  return values.some((value) => Math.abs(value - paper) > leastContrast);
}

/** The median of some pixels from all over the picture. */
function paperTone({ values }: Greys): number {
  const step = Math.max(1, Math.floor(values.length / 997)); // a prime: no column is seen again and again
  return medianOf(histogram(values, 256, step));
}
