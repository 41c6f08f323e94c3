/** Noise that no average helps against, and averages for the rest. */
import type { Greys } from './greys.ts';

const apart = 40; // levels between a speck and all its neighbours
const manyShare = 0.005; // of all pixels
const leastSide = 64; // pixels; in smaller pictures a stroke may be one pixel wide

/** The 3×3 median where single pixels stick out everywhere, as with salt and pepper; else the picture itself. */
export function despeckled(greys: Greys): Greys {
  if (Math.min(greys.width, greys.height) < leastSide) return greys;
  return singlePixels(greys) < manyShare * greys.values.length ? greys : median3(greys);
}

/** Pixels that are far from at least seven of their eight neighbours, all to the same side. */
function singlePixels({ values, width, height }: Greys): number {
  let count = 0;
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1, i = y * width + 1; x < width - 1; x++, i++) {
      const value = values[i]!;
      const first = value - values[i - 1]!;
      const last = value - values[i + 1]!;
      if (Math.abs(first) < apart && Math.abs(last) < apart) continue;
      if (isSingle(values, width, i)) count++;
    }
  }
  return count;
}

function isSingle(values: Uint8Array, width: number, i: number): boolean {
  let [above, below] = [0, 0];
  for (const row of [i - width, i, i + width]) {
    for (let j = row - 1; j <= row + 1; j++) {
      if (values[i]! - values[j]! >= apart) above++;
      else if (values[j]! - values[i]! >= apart) below++;
    }
  }
  return above >= 7 || below >= 7;
}

function median3({ values, width, height }: Greys): Greys {
  const result = values.slice();
  const nine = new Uint8Array(9);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let n = 0;
      for (let dy = -1; dy <= 1; dy++) {
        const row = Math.min(Math.max(y + dy, 0), height - 1) * width;
        for (let dx = -1; dx <= 1; dx++) nine[n++] = values[row + Math.min(Math.max(x + dx, 0), width - 1)]!;
      }
      result[y * width + x] = nine.toSorted()[4]!;
    }
  }
  return { values: result, width, height };
}

/** Means over squares that reach `reach` pixels to each side. */
export function blurred(greys: Greys, reach: number): Greys {
  const { values, width, height } = greys;
  const across = new Float32Array(values.length);
  for (let y = 0; y < height; y++) average(values, across, y * width, 1, width, reach);
  const both = new Float32Array(values.length);
  for (let x = 0; x < width; x++) average(across, both, x, width, height, reach);
  return { values: Uint8Array.from(both, Math.round), width, height };
}

function average(
  from: Uint8Array | Float32Array,
  to: Float32Array,
  start: number,
  step: number,
  count: number,
  reach: number,
): void {
  let [sum, size] = [0, 0];
  for (let n = 0; n < Math.min(reach, count); n++, size++) sum += from[start + n * step]!;
  for (let n = 0; n < count; n++) {
    if (n + reach < count) {
      sum += from[start + (n + reach) * step]!;
      size++;
    }
    if (n - reach - 1 >= 0) {
      sum -= from[start + (n - reach - 1) * step]!;
      size--;
    }
    to[start + n * step] = sum / size;
  }
}
