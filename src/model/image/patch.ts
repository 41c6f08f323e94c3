/** One character of a picture's clean ink → 28×28. */
import { longestOf } from './box.ts';
import { centre } from './centre.ts';
import type { CleanInk } from './clean-ink.ts';
import type { Character } from './find-characters.ts';
import { fit } from './fit.ts';
import type { Greys } from './greys.ts';
import type { Ink } from './ink.ts';
import { dilated } from './paper.ts';
import { plainInk } from './resample.ts';
import { wholeRows } from './runs.ts';

const softEdge = 0.055; // of the longer side: ink fades out this far from the strong ink

/** Null where so little ink is left that nothing can be fitted. */
export function patchOf(clean: CleanInk, character: Character): Uint8Array | null {
  const { greys, strongest } = inkOf(clean, character);
  if (strongest === 0) return null;
  const ink: Ink = {
    ...plainInk,
    contrast: Math.min(clean.contrast, strongest),
    threshold: 0.3 * Math.min(clean.contrast, strongest),
    runs: wholeRows(greys),
  };
  return centre(fit(greys, ink));
}

/** The ink of its shapes and close to them, on black with a margin. */
function inkOf(
  { ink, labels }: CleanInk,
  { box, labels: own }: Character,
): { greys: Greys; strongest: number } {
  const reach = Math.max(2, Math.round(softEdge * longestOf(box)));
  const [x0, y0] = [box.x0 - reach - 1, box.y0 - reach - 1];
  const width = box.x1 - box.x0 + 3 + 2 * reach;
  const height = box.y1 - box.y0 + 3 + 2 * reach;
  const isOwn = new Set(own);
  const part = { values: new Uint8Array(width * height), width, height };
  const strong = { ...part, values: new Uint8Array(width * height) };
  let strongest = 0;
  for (let y = Math.max(0, y0); y < Math.min(ink.height, y0 + height); y++) {
    for (let x = Math.max(0, x0); x < Math.min(ink.width, x0 + width); x++) {
      const [from, to] = [y * ink.width + x, (y - y0) * width + x - x0];
      const label = labels[from]!;
      if (label !== 0 && !isOwn.has(label)) continue;
      part.values[to] = ink.values[from]!;
      if (label === 0) continue;
      strong.values[to] = 1;
      strongest = Math.max(strongest, ink.values[from]!);
    }
  }
  const near = dilated(strong, reach);
  for (let i = 0; i < part.values.length; i++) if (!near.values[i]) part.values[i] = 0;
  return { greys: part, strongest };
}
