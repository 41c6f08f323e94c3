/** What has been put on the drawing area, in order; each can be taken back. */

/** In parts of the area's side: 0 to 1. */
export type Point = { readonly x: number; readonly y: number };

export type Stroke = { readonly kind: 'stroke'; readonly points: readonly Point[] };
export type Picture = {
  readonly kind: 'picture';
  readonly name: string;
  readonly image: Blob;
  readonly url: string; // of the image, to show it
  readonly label: number | null; // the digit that it is known to show
};
export type Mark = Stroke | Picture | { readonly kind: 'blank' };

export type Sheet =
  | { readonly kind: 'empty' }
  | { readonly kind: 'strokes'; readonly strokes: readonly Stroke[] }
  | Picture;

/** What can be seen of the marks: a picture or a blank sheet covers what came before, strokes cover a picture. */
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

const dot = 0.01; // pixels: a tap is a line of no length, which a canvas leaves out, round caps and all

/** A smooth line: through the middles between neighbouring points, bent towards the points. */
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
