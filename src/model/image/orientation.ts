/** Turns decoded pictures upright. Source: Exif 3.0 (CIPA DC-008), tag 0x0112. */
import type { Samples } from './samples.ts';

/** EXIF's value → where the stored picture's first row and first column lie in the upright one. */
const changes: ReadonlyMap<number, { swaps: boolean; fromRight: boolean; fromBottom: boolean }> = new Map([
  [2, { swaps: false, fromRight: true, fromBottom: false }],
  [3, { swaps: false, fromRight: true, fromBottom: true }],
  [4, { swaps: false, fromRight: false, fromBottom: true }],
  [5, { swaps: true, fromRight: false, fromBottom: false }],
  [6, { swaps: true, fromRight: true, fromBottom: false }],
  [7, { swaps: true, fromRight: true, fromBottom: true }],
  [8, { swaps: true, fromRight: false, fromBottom: true }],
]);

export const swapsSides = (orientation: number) => changes.get(orientation)?.swaps ?? false;

/** Any other orientation than 2 to 8 is upright. */
export function turnUpright(stored: Samples, orientation: number): Samples {
  const change = changes.get(orientation);
  if (!change) return stored;
  const { values, channels } = stored;
  const [width, height] = change.swaps ? [stored.height, stored.width] : [stored.width, stored.height];
  const upright = new Uint8Array(values.length);
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++, to += channels) {
      const across = change.fromRight ? width - 1 - x : x;
      const down = change.fromBottom ? height - 1 - y : y;
      const from = channels * (change.swaps ? across * stored.width + down : down * stored.width + across);
      for (let channel = 0; channel < channels; channel++) upright[to + channel] = values[from + channel]!;
    }
  }
  return { values: upright, width, height, channels };
}
