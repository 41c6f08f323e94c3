/**
 * Greys of any size → 28×28 as MNIST was made: white ink on black, the ink box fitted into 20×20
 * keeping its aspect, greys from area averages, centred by mass.
 * Source: http://yann.lecun.com/exdb/mnist ("the images were centered in a 28x28 image by computing
 * the center of mass of the pixels, and translating the image so as to position this point at the center").
 */
import { type Box, findInk, type Greys, type Ink, inkBox, levelBackground } from './ink.ts';
import { enlarge, shrink, thicken } from './resample.ts';

export const SIDE = 28;
const FIT = 20; // the ink box's longer side
const FULL_INK = 254; // every MNIST image reaches 254 or 255

/**
 * The 28×28 digit, 784 bytes, or null where nothing stands out from the background. An image that
 * already has MNIST's form comes back byte for byte, an inverted one inverted.
 */
export function normalise(greys: Greys): Uint8Array | null {
  if (greys.width === SIDE && greys.height === SIDE) {
    if (hasMnistForm(greys.values)) return greys.values.slice();
    const inverted = greys.values.map((value) => 255 - value);
    if (hasMnistForm(inverted)) return inverted;
  }
  const even = levelBackground(greys);
  const ink = findInk(even);
  return ink && centre(fit(even, ink));
}

/** True of all 70,000 MNIST images: full ink, a box of 19 or 20 within 20×20, mass at the centre. */
export function hasMnistForm(pixels: Uint8Array): boolean {
  const { box, longest, strongest, x, y } = measure(pixels, SIDE, SIDE);
  return (
    strongest >= FULL_INK &&
    (longest === FIT || longest === FIT - 1) &&
    isCentred(x, box.x0, box.x1) &&
    isCentred(y, box.y0, box.y1)
  );
}

type Patch = { readonly pixels: Uint8Array; readonly width: number; readonly height: number };

/**
 * The ink box at MNIST's size. Ink at the box's edge that averages out to nothing is left out and the
 * rest fitted again, so that the result always fills its 20 pixels.
 */
function fit(greys: Greys, ink: Ink): Patch {
  let box = inkBox(greys, ink);
  for (;;) {
    const patch = fitBox(greys, ink, box);
    const { box: inked, longest } = measure(patch.pixels, patch.width, patch.height);
    if (longest >= FIT - 1) return patch;
    box = within(box, inked, patch);
  }
}

function fitBox(greys: Greys, ink: Ink, box: Box): Patch {
  const boxWidth = box.x1 - box.x0 + 1;
  const boxHeight = box.y1 - box.y0 + 1;
  const longer = Math.max(boxWidth, boxHeight);
  const scale = longer === FIT - 1 ? 1 : FIT / longer; // 19 is MNIST's size too, better left sharp
  const width = Math.max(1, Math.round(boxWidth * scale));
  const height = Math.max(1, Math.round(boxHeight * scale));
  const sw = strokeWidth(greys, ink, box) * scale;
  (globalThis as any).SW?.push(sw);
  if (scale < 1 && sw < Number(process.env.THIN ?? 0)) {
    const C = 2;
    const W = C * width + 0,
      H = C * height;
    const w2 = Math.max(3, W),
      h2 = Math.max(3, H);
    const t = thicken(greys, ink, box, w2, h2);
    const of = Uint8Array.from({ length: 256 }, (_, i) => i);
    const p = shrink(
      { values: Uint8Array.from(t), width: w2, height: h2 },
      { of, contrast: 255, threshold: 0 },
      { x0: 0, y0: 0, x1: w2 - 1, y1: h2 - 1 },
      Math.max(width, 2),
      Math.max(height, 2),
    );
    return { pixels: toFullInk(p), width: Math.max(width, 2), height: Math.max(height, 2) };
  }
  const resample = scale > 1 ? enlarge : shrink;
  return { pixels: toFullInk(resample(greys, ink, box, width, height)), width, height };
}

function strokeWidth(greys: Greys, ink: Ink, box: Box): number {
  const half = ink.contrast / 2;
  const step = Math.max(1, Math.ceil(Math.max(box.x1 - box.x0, box.y1 - box.y0) / 256));
  const on = (x: number, y: number) => ink.of[greys.values[y * greys.width + x]!]! > half;
  let area = 0,
    edges = 0;
  for (let y = box.y0; y <= box.y1; y += step) {
    let was = false;
    for (let x = box.x0; x <= box.x1; x++) {
      const is = on(x, y);
      if (is) area++;
      if (is !== was) edges++;
      was = is;
    }
    if (was) edges++;
  }
  for (let x = box.x0; x <= box.x1; x += step) {
    let was = false;
    for (let y = box.y0; y <= box.y1; y++) {
      const is = on(x, y);
      if (is !== was) edges++;
      was = is;
    }
    if (was) edges++;
  }
  return (2 * area) / ((edges * Math.PI) / 4);
}

function toFullInk(ink: Float32Array): Uint8Array {
  const strongest = ink.reduce((most, amount) => Math.max(most, amount), 0);
  const gain = strongest >= FULL_INK ? 1 : 255 / strongest;
  return Uint8Array.from(ink, (amount) => Math.min(255, Math.round(amount * gain)));
}

/** The part of `box` under the patch's inked pixels; smaller than `box` where an edge has none. */
function within(box: Box, inked: Box, patch: Patch): Box {
  const stepX = (box.x1 - box.x0 + 1) / patch.width;
  const stepY = (box.y1 - box.y0 + 1) / patch.height;
  return {
    x0: box.x0 + Math.floor(inked.x0 * stepX),
    y0: box.y0 + Math.floor(inked.y0 * stepY),
    x1: box.x0 + Math.ceil((inked.x1 + 1) * stepX) - 1,
    y1: box.y0 + Math.ceil((inked.y1 + 1) * stepY) - 1,
  };
}

/** Puts a patch into 28×28 black, its centre of mass at the centre. */
function centre({ pixels, width, height }: Patch): Uint8Array {
  const { box, x, y } = measure(pixels, width, height);
  const dx = shiftToCentre(x, box.x0, box.x1);
  const dy = shiftToCentre(y, box.y0, box.y1);
  const centred = new Uint8Array(SIDE * SIDE);
  for (let row = box.y0; row <= box.y1; row++) {
    const from = row * width;
    centred.set(pixels.subarray(from + box.x0, from + box.x1 + 1), (row + dy) * SIDE + box.x0 + dx);
  }
  return centred;
}

/** Whole pixels that bring the mass into 13.5 ≤ c < 14.5, as in MNIST, but no ink out of the frame. */
function shiftToCentre(mass: number, first: number, last: number): number {
  return Math.min(Math.max(Math.ceil(13.5 - mass), -first), SIDE - 1 - last);
}

/** MNIST's own masses lie in 13.4801 ≤ c < 14.5: it was centred before its greys were rounded. */
function isCentred(mass: number, first: number, last: number): boolean {
  return (mass >= 13.48 && mass <= 14.5) || shiftToCentre(mass, first, last) === 0;
}

type Measures = { box: Box; longest: number; strongest: number; x: number; y: number };

/** Box, longer side, strongest pixel and centre of mass of all that is not black. */
function measure(pixels: Uint8Array, width: number, height: number): Measures {
  let x0 = width;
  let x1 = -1;
  let y0 = height;
  let y1 = -1;
  let strongest = 0;
  let mass = 0;
  let massX = 0;
  let massY = 0;
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const value = pixels[i]!;
      if (value === 0) continue;
      if (x < x0) x0 = x;
      if (x > x1) x1 = x;
      if (y < y0) y0 = y;
      y1 = y;
      if (value > strongest) strongest = value;
      mass += value;
      massX += value * x;
      massY += value * y;
    }
  }
  const longest = Math.max(x1 - x0, y1 - y0) + 1;
  return { box: { x0, y0, x1, y1 }, longest, strongest, x: massX / mass, y: massY / mass };
}
