/**
 * Which straight lines belong to the form or the paper, and not to a character: rules from edge to edge, underlines, boxes
 * and fields. A stroke of a digit ends where other strokes begin; a form's line goes on beyond all ink near it, to the
 * picture's edge, or to a corner with another such line.
 */
import { heightOf, longestOf } from './box.ts';
import type { Shape } from './shapes.ts';
import type { Line } from './straight-lines.ts';

export type Page = {
  readonly width: number;
  readonly height: number;
  readonly rest: readonly Shape[]; // what is left without any of the lines, the largest shape first
};

const beyond = 0.06; // of a shape's height, that a line goes on past it
const leastPart = 0.3; // of the largest shape's longer side: smaller shapes say nothing of a line
const manyRules = 3; // parallel lines from edge to edge: no digit has as many

export type FormLines = {
  readonly lines: readonly Line[];
  readonly hasRules: boolean;
  readonly hasBox: boolean;
};

/** `creases`: thin lines from edge to edge at any angle. */
export function findFormLines(lines: readonly Line[], creases: readonly Line[], page: Page): FormLines {
  const rules = lines.filter((line) => isRule(line, lines, page));
  const accepted = new Set<Line>([...rules, ...boxesOf(lines, page)]);
  for (let before = -1; before < accepted.size; ) {
    before = accepted.size;
    for (const line of lines)
      if (!accepted.has(line) && isForm(line, accepted, lines, page)) accepted.add(line);
  }
  const found = [...accepted];
  const upright = found.filter((line) => line.isUpright && !rules.includes(line));
  const hasBox = upright.length > 0;
  const folded = isClearOfEdges(page) ? creases : [];
  const hasRules = found.some((line) => rules.includes(line) || (!hasBox && !line.isUpright));
  return { lines: [...found, ...folded], hasBox, hasRules: hasRules || folded.length > 0 };
}

const lengthOf = (line: Line) => line.to - line.from + 1;
const alongSide = (line: Line, page: Page) => (line.isUpright ? page.height : page.width);
/** A rule reaches the outermost pixel; what ends one pixel before it is a stroke. */
const reachesStart = (line: Line) => line.from <= 0;
const reachesEnd = (line: Line, page: Page) => line.to >= alongSide(line, page) - 1;
const isAcross = (line: Line, page: Page) => reachesStart(line) && reachesEnd(line, page);

/** From edge to edge; one or two such lines may be strokes of a digit that is cut out tightly. */
function isRule(line: Line, lines: readonly Line[], page: Page): boolean {
  if (!isAcross(line, page)) return false;
  const parallel = lines.filter((other) => other.isUpright === line.isUpright && isAcross(other, page));
  if (parallel.length >= manyRules) return true;
  return isClearOfEdges(page);
}

/** Whether there is ink without any of the lines, and it keeps off the edges: none of the lines is a stroke then. */
function isClearOfEdges(page: Page): boolean {
  const parts = partsOf(page);
  return parts.length > 0 && parts.every((part) => isClear(part, page));
}

function isClear({ box }: Shape, { width, height }: Page): boolean {
  const margin = Math.max(2, Math.round(0.02 * Math.min(width, height)));
  return box.x0 >= margin && box.y0 >= margin && box.x1 < width - margin && box.y1 < height - margin;
}

/** Shapes large enough to be characters or parts of one. */
function partsOf({ rest }: Page): readonly Shape[] {
  const longest = Math.max(0, ...rest.map((shape) => longestOf(shape.box)));
  return rest.filter((shape) => longestOf(shape.box) >= leastPart * longest);
}

function isForm(line: Line, accepted: ReadonlySet<Line>, lines: readonly Line[], page: Page): boolean {
  const corners = cornersOf(line, accepted);
  if (line.isUpright) return isFormUpright(line, corners, lines, page);
  const near = partsOf(page).filter(({ box }) => within((box.x0 + box.x1) / 2, line));
  const margin = beyond * Math.max(0, ...near.map(({ box }) => heightOf(box)));
  const first = Math.min(...near.map(({ box }) => box.x0));
  const last = Math.max(...near.map(({ box }) => box.x1));
  const isClearStart = line.from < first - margin;
  const isClearEnd = line.to > last + margin;
  const starts = corners.start || (reachesStart(line) && first > 3) || isClearStart;
  const ends = corners.end || (reachesEnd(line, page) && last < page.width - 4) || isClearEnd;
  if (!starts || !ends || partsOf(page).length === 0) return false;
  if (corners.start || corners.end || reachesStart(line) || reachesEnd(line, page)) return true;
  const tallest = Math.max(0, ...near.map(({ box }) => heightOf(box)));
  return lengthOf(line) >= 0.75 * tallest && isOutside(line, near);
}

const within = (along: number, line: Line) => along >= line.from && along <= line.to;

/** Above or below the middle parts of all ink near it: an underline or a side of a box, not the bar of a 4. */
function isOutside(line: Line, near: readonly Shape[]): boolean {
  const y = line.offset + (line.slope * (line.from + line.to)) / 2;
  return near.every(({ box }) => {
    const share = (y - box.y0) / heightOf(box);
    return share < 0.2 || share > 0.7;
  });
}

type Corners = { readonly start: boolean; readonly end: boolean };

function isFormUpright(line: Line, corners: Corners, lines: readonly Line[], page: Page): boolean {
  const starts = corners.start || reachesStart(line);
  const ends = corners.end || reachesEnd(line, page);
  if (starts && ends) return corners.start || corners.end;
  if (!corners.start && !corners.end) return false;
  // The separators of a comb stand on one line and end free, all alike.
  return lines.some((other) => other !== line && other.isUpright && isAlike(line, other));
}

function isAlike(line: Line, other: Line): boolean {
  const slack = Math.max(4, 0.08 * lengthOf(line));
  return (
    Math.abs(other.from - line.from) <= slack + Math.abs(other.offset - line.offset) * 0.1 &&
    Math.abs(other.to - line.to) <= slack + Math.abs(other.offset - line.offset) * 0.1 &&
    Math.abs(other.thickness - line.thickness) <= 1 + 0.3 * line.thickness
  );
}

/** Whether each end of a line lies on a line of the other direction. */
function cornersOf(line: Line, others: Iterable<Line>): Corners {
  let [start, end] = [false, false];
  for (const other of others) {
    if (other.isUpright === line.isUpright || !isSimilar(line, other)) continue;
    start ||= meets(line, line.from, other);
    end ||= meets(line, line.to, other);
  }
  return { start, end };
}

const isSimilar = (a: Line, b: Line) =>
  Math.max(a.thickness, b.thickness) <= 1.7 * Math.min(a.thickness, b.thickness) + 1;

function meets(line: Line, along: number, other: Line): boolean {
  const across = line.offset + line.slope * along; // the place along the other line
  const reach = 3 + 1.5 * Math.max(line.thickness, other.thickness);
  return (
    across >= other.from - reach &&
    across <= other.to + reach &&
    Math.abs(other.offset + other.slope * across - along) <= reach
  );
}

/** Sides of closed rectangles with ink inside. */
function boxesOf(lines: readonly Line[], page: Page): Line[] {
  const upright = lines.filter((line) => line.isUpright);
  const level = lines.filter((line) => !line.isUpright);
  if (upright.length < 2 || level.length < 2 || lines.length > 40 || partsOf(page).length === 0) return [];
  const sides = new Set<Line>();
  for (const top of level) {
    for (const bottom of level) {
      if (bottom.offset <= top.offset) continue;
      const posts = upright.filter((post) => meets(post, post.from, top) && meets(post, post.to, bottom));
      if (posts.length < 2) continue;
      if (![top, bottom].every((line) => cornersOf(line, posts).start && cornersOf(line, posts).end))
        continue;
      for (const side of [top, bottom, ...posts]) sides.add(side);
    }
  }
  return [...sides];
}
