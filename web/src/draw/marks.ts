/** The marks on the drawing area, in order; undo removes the last one. */

/** Coordinates from 0 to 1, as a share of the area's side. */
export type Point = { readonly x: number; readonly y: number };

export type Stroke = { readonly kind: 'stroke'; readonly points: readonly Point[] };
export type Picture = {
  readonly kind: 'picture';
  readonly name: string;
  readonly image: Blob;
  readonly url: string; // of the image, to show it
  readonly label: string | null; // what it shows, where that is known
};
export type Mark = Stroke | Picture | { readonly kind: 'blank' };

export type Sheet =
  | { readonly kind: 'empty' }
  | { readonly kind: 'strokes'; readonly strokes: readonly Stroke[] }
  | Picture;

/** The visible part of the marks: a picture or a blank sheet hides what came before; strokes replace a picture. */
export function sheetOf(marks: readonly Mark[]): Sheet {
  const last = marks.at(-1);
  if (last === undefined || last.kind === 'blank') return { kind: 'empty' };
  if (last.kind === 'picture') return last;
  const cover = marks.findLastIndex(({ kind }) => kind !== 'stroke');
  return { kind: 'strokes', strokes: marks.slice(cover + 1) as Stroke[] };
}

type Path = {
  moveTo(x: number, y: number): void;
  lineTo(x: number, y: number): void;
  quadraticCurveTo(cx: number, cy: number, x: number, y: number): void;
};

const dot = 0.01; // pixels: a canvas does not draw lines of no length, which a tap is

/** Traces a smooth line through the midpoints of neighbouring points, with the points as controls (quadratic Bézier). */
export function traceStroke(path: Path, { points }: Stroke, side: number): void {
  const [first, ...others] = points.map(({ x, y }) => ({ x: x * side, y: y * side }));
  if (first === undefined) return;
  path.moveTo(first.x, first.y);
  path.lineTo(first.x + dot, first.y);
  for (const [index, point] of others.entries()) {
    const next = others[index + 1];
    if (next) path.quadraticCurveTo(point.x, point.y, (point.x + next.x) / 2, (point.y + next.y) / 2);
    else path.lineTo(point.x, point.y);
  }
}
