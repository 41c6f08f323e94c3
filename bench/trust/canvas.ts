/** A sheet to draw made pictures on: light from 0 to 255, in floats until it is a picture. */
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import type { Random } from '../../src/lib/random.ts';
import { imageSide } from '../../src/model/data/dataset.ts';

export type Sheet = { readonly light: Float32Array; readonly width: number; readonly height: number };

export { between } from '../../src/lib/random.ts';
export const integer = uniformInt;
export const chance = (random: Random, share: number) => uniformFloat64(random) < share;

export function sheet(width: number, height: number, tone: number): Sheet {
  return { light: new Float32Array(width * height).fill(tone), width, height };
}

/** Ink of a digit, 0 to 1, `height` × `height` for its 28×28. */
export type Stamp = { readonly ink: Float32Array; readonly width: number; readonly height: number };

/** A digit enlarged smoothly to `side` pixels for its 28, its edges a pixel or two wide, then cut out. */
export function stamp(pixels: Uint8Array, side: number, edge = 1): Stamp {
  const scale = side / imageSide;
  const ink = new Float32Array(side * side);
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++)
      ink[y * side + x] = cubicAt(pixels, (x + 0.5) / scale - 0.5, (y + 0.5) / scale - 0.5);
  // A pen's edge is sharper than an enlarged pixel's: the slope where it ends becomes one over `edge` pixels.
  const gain = Math.max(1, scale / edge / 1.5);
  const sharp = ink.map((value) => Math.min(1, Math.max(0, (value / 255 - 0.4) * gain + 0.5)));
  return cutOut({ ink: gain > 1 ? sharp : ink.map((value) => value / 255), width: side, height: side });
}

function cutOut({ ink, width, height }: Stamp): Stamp {
  let [x0, x1, y0, y1] = [width, -1, height, -1];
  for (let i = 0; i < ink.length; i++) {
    if (ink[i]! < 0.1) continue;
    const [x, y] = [i % width, Math.floor(i / width)];
    [x0, x1, y0, y1] = [Math.min(x0, x), Math.max(x1, x), Math.min(y0, y), Math.max(y1, y)];
  }
  const [w, h] = [x1 - x0 + 1, y1 - y0 + 1];
  const cut = Float32Array.from(
    { length: w * h },
    (_, i) => ink[(y0 + Math.floor(i / w)) * width + x0 + (i % w)]!,
  );
  return { ink: cut, width: w, height: h };
}

/** Cubic convolution (Keys 1981). */
function cubicAt(pixels: Uint8Array, x: number, y: number): number {
  const [x0, y0] = [Math.floor(x), Math.floor(y)];
  let sum = 0;
  for (let j = -1; j <= 2; j++) {
    for (let i = -1; i <= 2; i++) {
      const [column, row] = [x0 + i, y0 + j];
      if (column < 0 || row < 0 || column >= imageSide || row >= imageSide) continue;
      sum += pixels[row * imageSide + column]! * keys(x - column) * keys(y - row);
    }
  }
  return Math.min(255, Math.max(0, sum));
}

function keys(distance: number): number {
  const d = Math.abs(distance);
  if (d >= 2) return 0;
  return d < 1 ? 1.5 * d ** 3 - 2.5 * d ** 2 + 1 : -0.5 * d ** 3 + 2.5 * d ** 2 - 4 * d + 2;
}

/** Lays ink of a tone on the sheet. */
export function press(
  on: Sheet,
  { ink, width, height }: Stamp,
  left: number,
  top: number,
  tone: number,
): void {
  for (let y = Math.max(0, -top); y < height && top + y < on.height; y++) {
    for (let x = Math.max(0, -left); x < width && left + x < on.width; x++) {
      const i = (top + y) * on.width + left + x;
      const share = ink[y * width + x]!;
      on.light[i] = Math.min(on.light[i]!, on.light[i]! * (1 - share) + tone * share);
    }
  }
}

/** A straight line with soft edges, `thick` pixels wide. */
export function drawLine(
  on: Sheet,
  from: readonly [number, number],
  to: readonly [number, number],
  thick: number,
  tone: number,
): void {
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
  const length = Math.hypot(dx, dy);
  const reach = thick / 2 + 1;
  const [x0, x1] = [
    Math.floor(Math.min(from[0], to[0]) - reach),
    Math.ceil(Math.max(from[0], to[0]) + reach),
  ];
  const [y0, y1] = [
    Math.floor(Math.min(from[1], to[1]) - reach),
    Math.ceil(Math.max(from[1], to[1]) + reach),
  ];
  for (let y = Math.max(0, y0); y <= Math.min(on.height - 1, y1); y++) {
    for (let x = Math.max(0, x0); x <= Math.min(on.width - 1, x1); x++) {
      const along = ((x - from[0]) * dx + (y - from[1]) * dy) / length;
      const past = Math.max(0, -along, along - length);
      const across = Math.hypot(((x - from[0]) * dy - (y - from[1]) * dx) / length, past);
      const share = Math.min(1, Math.max(0, thick / 2 + 0.5 - across));
      const i = y * on.width + x;
      on.light[i] = Math.min(on.light[i]!, on.light[i]! * (1 - share) + tone * share);
    }
  }
}

/** Noise of a standard deviation of half the amount. */
export function grain(on: Sheet, random: Random, amount: number): void {
  let state = integer(random, 1, 2 ** 31 - 1);
  const next = () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
  for (let i = 0; i < on.light.length; i++) on.light[i]! += 2 * amount * (next() + next() + next() - 1.5);
}

/** Light multiplied by a share that depends on the place. */
export function shade(on: Sheet, share: (x: number, y: number) => number): void {
  for (let y = 0, i = 0; y < on.height; y++)
    for (let x = 0; x < on.width; x++, i++) on.light[i]! *= share(x, y);
}

/** Mean over squares, twice: a soft lens. */
export function soften(on: Sheet, reach: number): Sheet {
  if (reach < 1) return on;
  let { light } = on;
  for (let pass = 0; pass < 2; pass++) {
    const next = new Float32Array(light.length);
    for (let y = 0; y < on.height; y++) {
      for (let x = 0; x < on.width; x++) {
        let [sum, count] = [0, 0];
        for (let j = Math.max(0, y - reach); j <= Math.min(on.height - 1, y + reach); j++)
          for (let i = Math.max(0, x - reach); i <= Math.min(on.width - 1, x + reach); i++, count++)
            sum += light[j * on.width + i]!;
        next[y * on.width + x] = sum / count;
      }
    }
    light = next;
  }
  return { ...on, light };
}

export function toBytes({ light }: Sheet): Uint8Array {
  return Uint8Array.from(new Uint8ClampedArray(light));
}
