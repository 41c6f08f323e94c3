/** The light of the paper under the ink. */
import type { Greys } from './greys.ts';
import { fitSurface } from './surface.ts';

const widestStroke = 0.38; // of the shorter side; whatever is dark and wider is paper in a shadow
const middle = 128; // where a surface is subtracted

/**
 * The paper's light under dark ink: a grey closing fills strokes with the paper beside them, while the edges of large
 * shadows stay where they are. It is too bright where light falls off towards the picture's edge; a second closing, of what
 * a smooth surface leaves over, is not, but it is beside hard shadows. Both are never too dark, so the darker one is right.
 * Source: J. Serra, Image Analysis and Mathematical Morphology, 1982.
 */
export function paperOf(greys: Greys): Greys {
  const surface = fitSurface(greys);
  const rest = new Uint8ClampedArray(greys.values.length); // rounds and clips
  for (let i = 0; i < rest.length; i++) rest[i] = greys.values[i]! - surface[i]! + middle;
  const first = closing(greys);
  const second = closing({ ...greys, values: new Uint8Array(rest.buffer) });
  return {
    ...greys,
    values: first.values.map((value, i) => Math.min(value, second.values[i]! + surface[i]! - middle)),
  };
}

function closing(greys: Greys): Greys {
  const reach = Math.max(1, Math.round((widestStroke * Math.min(greys.width, greys.height)) / 2));
  return extreme(extreme(greys, reach, 1), reach, -1);
}

/** Each pixel the largest value within a square that reaches `reach` pixels to each side. */
export function dilated(greys: Greys, reach: number): Greys {
  return extreme(greys, reach, 1);
}

/** The largest (sign 1) or smallest (-1) value within `reach` pixels in both directions. */
function extreme(greys: Greys, reach: number, sign: 1 | -1): Greys {
  const { values, width, height } = greys;
  const across = new Uint8Array(values.length);
  for (let y = 0; y < height; y++) slide(values, across, y * width, 1, width, reach, sign);
  const both = new Uint8Array(values.length);
  for (let x = 0; x < width; x++) slide(across, both, x, width, height, reach, sign);
  return { values: both, width, height };
}

/** A sliding extreme over one row or column, by a queue of candidates that only gets worse (Lemire 2006). */
function slide(
  from: Uint8Array,
  to: Uint8Array,
  start: number,
  step: number,
  count: number,
  reach: number,
  sign: 1 | -1,
): void {
  const queue = new Int32Array(count);
  let [head, tail] = [0, 0];
  for (let n = 0; n < count + reach; n++) {
    if (n < count) {
      const value = from[start + n * step]! * sign;
      while (tail > head && from[start + queue[tail - 1]! * step]! * sign <= value) tail--;
      queue[tail++] = n;
    }
    const target = n - reach;
    if (target < 0) continue;
    while (queue[head]! < target - reach) head++;
    to[start + target * step] = from[start + queue[head]! * step]!;
  }
}

/** The coarse picture at `width` × `height`, bilinear between the centres of its pixels. */
export function sampled(coarse: Greys, width: number, height: number): Float32Array {
  const result = new Float32Array(width * height);
  const column = taps(coarse.width, width);
  const row = taps(coarse.height, height);
  for (let y = 0, i = 0; y < height; y++) {
    const upper = row.near[y]! * coarse.width;
    const lower = row.far[y]! * coarse.width;
    const down = row.share[y]!;
    for (let x = 0; x < width; x++, i++) {
      const [near, far, right] = [column.near[x]!, column.far[x]!, column.share[x]!];
      const top = coarse.values[upper + near]! * (1 - right) + coarse.values[upper + far]! * right;
      const bottom = coarse.values[lower + near]! * (1 - right) + coarse.values[lower + far]! * right;
      result[i] = top * (1 - down) + bottom * down;
    }
  }
  return result;
}

type Taps = { readonly near: Int32Array; readonly far: Int32Array; readonly share: Float32Array };

function taps(source: number, target: number): Taps {
  const near = new Int32Array(target);
  const far = new Int32Array(target);
  const share = new Float32Array(target);
  const step = 1 / Math.max(1, Math.floor(target / source)); // blocks at the end that are not whole are left out
  for (let i = 0; i < target; i++) {
    const position = Math.min(Math.max((i + 0.5) * step - 0.5, 0), source - 1);
    near[i] = Math.floor(position);
    far[i] = Math.min(near[i]! + 1, source - 1);
    share[i] = position - near[i]!;
  }
  return { near, far, share };
}
