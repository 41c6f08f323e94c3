/**
 * Creases: thin straight lines at any angle from one edge of the picture to another. They are looked for between the places
 * where ink crosses the edges; lines along the picture's sides are those of `straight-lines.ts`.
 */
import { type Mask, transposed } from './mask.ts';
import { fitted, type Line, thickest } from './straight-lines.ts';

const leastSlope = 0.08; // flatter ones are found with the other lines
const mostCrossings = 16; // of the edges; a picture with more shows a pattern or print
const widestCrossing = 0.2; // of the shorter side
const shortest = 0.5; // of the shorter side
const leastInked = 0.92; // of a crease's length
const leastPure = 0.3; // of its length, where nothing else lies on it

type Point = { readonly x: number; readonly y: number };

export function findCreases(mask: Mask): Line[] {
  const points = crossingsOf(mask);
  if (points.length < 2 || points.length > mostCrossings) return [];
  const columns = transposed(mask);
  const found: Line[] = [];
  for (const [n, from] of points.entries()) {
    for (const to of points.slice(n + 1)) {
      if (Math.hypot(to.x - from.x, to.y - from.y) < shortest * Math.min(mask.width, mask.height)) continue;
      const isUpright = Math.abs(to.y - from.y) > Math.abs(to.x - from.x);
      const line = isUpright
        ? lineBetween(columns, mask, { x: from.y, y: from.x }, { x: to.y, y: to.x })
        : lineBetween(mask, columns, from, to);
      if (line) found.push({ ...line, isUpright });
    }
  }
  return found;
}

/** The middles of the stretches of ink on the picture's edges. */
function crossingsOf({ pixels, width, height }: Mask): Point[] {
  const most = Math.max(6, widestCrossing * Math.min(width, height));
  const points: Point[] = [];
  const look = (count: number, at: (n: number) => Point) => {
    let from = -1;
    for (let n = 0; n <= count; n++) {
      const { x, y } = at(n);
      const isInk = n < count && pixels[y * width + x] === 1;
      if (isInk && from === -1) from = n;
      if (isInk || from === -1) continue;
      if (n - from <= most) points.push(at((from + n - 1) / 2));
      from = -1;
    }
  };
  look(width, (x) => ({ x, y: 0 }));
  look(width, (x) => ({ x, y: height - 1 }));
  look(height - 2, (y) => ({ x: 0, y: y + 1 }));
  look(height - 2, (y) => ({ x: width - 1, y: y + 1 }));
  return points;
}

/** Null where the two points, which are not one above the other, have no thin line between them. `columns`: the mask transposed. */
function lineBetween(mask: Mask, columns: Mask, one: Point, other: Point): Omit<Line, 'isUpright'> | null {
  const [from, to] = one.x < other.x ? [one, other] : [other, one];
  const slope = (to.y - from.y) / (to.x - from.x);
  if (Math.abs(slope) < leastSlope) return null;
  const rough = { slope, offset: from.y - slope * from.x };
  const [first, last] = [Math.floor(from.x), Math.ceil(to.x)];
  const runs = runsAlong(columns, rough, first, last);
  const length = last - first + 1;
  if (runs.length < leastInked * length) return null;
  const most = thickest * Math.min(mask.width, mask.height) * Math.hypot(1, slope) + 2;
  const pure = runs.filter(({ thick }) => thick <= most);
  if (pure.length < leastPure * length) return null;
  const thickness = pure.map(({ thick }) => thick).toSorted((a, b) => a - b)[pure.length >> 1]!;
  const used = new Uint8Array(pure.length);
  const exact = fitted({ x: pure.map(({ x }) => x), y: pure.map(({ y }) => y), used }, rough);
  return { ...exact, from: first, to: last, thickness };
}

type Crossed = { readonly x: number; readonly y: number; readonly thick: number };

/** The runs of ink across a line, or right beside it, in the order of their x; y is the middle. */
function runsAlong(
  { pixels, width: rows, height: count }: Mask,
  { slope, offset }: { readonly slope: number; readonly offset: number },
  from: number,
  to: number,
): Crossed[] {
  const found: Crossed[] = [];
  for (let x = Math.max(0, from); x <= Math.min(count - 1, to); x++) {
    const start = x * rows;
    const middle = Math.round(offset + slope * x);
    const near = [middle, middle - 1, middle + 1].find((y) => y >= 0 && y < rows && pixels[start + y] === 1);
    if (near === undefined) continue;
    let [top, bottom] = [near, near];
    while (top > 0 && pixels[start + top - 1] === 1) top--;
    while (bottom < rows - 1 && pixels[start + bottom + 1] === 1) bottom++;
    found.push({ x, y: (top + bottom) / 2, thick: bottom - top + 1 });
  }
  return found;
}
