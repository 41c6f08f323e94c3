/** Rectangles of pixels. */

/** Inclusive pixel bounds; empty where an end lies before its start. */
export type Box = { readonly x0: number; readonly y0: number; readonly x1: number; readonly y1: number };

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

export function wholeBox({ width, height }: { readonly width: number; readonly height: number }): Box {
  return { x0: 0, y0: 0, x1: width - 1, y1: height - 1 };
}
