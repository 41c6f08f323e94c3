/** Filled shapes, textures and noise: what no pen writes. */
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { between, type Random } from '../../../lib/random.ts';
import { imageSide, imageSize } from '../dataset.ts';
import { centreByMass } from './strokes.ts';

/**
 * A filled, shaded outline, mostly the same on the left and on the right, as things made by people are: narrow, wide or flat,
 * sometimes with two legs, sometimes in straps.
 */
export function drawGarment(target: Uint8Array, random: Random): void {
  const inside = outline(random);
  const isStrap = oneIn(4, random) ? straps(random) : () => true;
  const shade = shading(random);
  for (let y = 4; y < 24; y++)
    for (let x = 4; x < 24; x++) if (inside(x, y) && isStrap(x, y)) target[y * imageSide + x] = shade(x, y);
  centreByMass(target);
}

type Mask = (x: number, y: number) => boolean;

function outline(random: Random): Mask {
  const widest = oneIn(3, random) ? between(random, 3, 5.5) : 10; // pixels, half of the width
  const knots = Array.from({ length: uniformInt(random, 3, 7) }, () => between(random, 0.2, 1) * widest);
  const others = oneIn(3, random) ? knots.map(() => between(random, 0.2, 1) * widest) : knots;
  const lean = oneIn(4, random) ? between(random, -0.3, 0.3) : 0;
  const gap = oneIn(4, random) ? between(random, 0.5, 2.5) : 0; // between two legs, from halfway down
  const height = widest === 10 && oneIn(3, random) ? between(random, 6, 15) : 20; // less: flat, like a shoe
  const top = (imageSide - height) / 2;
  return (x, y) => {
    const along = (y - top) / (height - 1);
    if (along < 0 || along > 1) return false;
    const offset = x - 13.5 - lean * (y - 13.5);
    const isGap = along > 0.45 && Math.abs(offset) < gap;
    return Math.abs(offset) <= widthAt(offset < 0 ? knots : others, along) && !isGap;
  };
}

/** Leaves bands, as of a sandal. */
function straps(random: Random): Mask {
  const [fx, fy] = [between(random, -1.2, 1.2), between(random, -1.2, 1.2)];
  const [phase, least] = [between(random, 0, 6.28), between(random, -0.6, 0.3)];
  return (x, y) => Math.sin(fx * x + fy * y + phase) > least;
}

function oneIn(count: number, random: Random): boolean {
  return uniformInt(random, 1, count) === 1;
}

/** Stripes, checks or waves over all of the middle. */
export function drawTexture(target: Uint8Array, random: Random): void {
  const [fx, fy] = [between(random, 0.2, 2.5), between(random, 0.2, 2.5)];
  const phase = between(random, 0, 6.28);
  const isSharp = uniformInt(random, 0, 1) === 0;
  const isChecked = uniformInt(random, 0, 1) === 0;
  for (let i = 0; i < imageSize; i++) {
    const [x, y] = [i % imageSide, Math.floor(i / imageSide)];
    if (x < 4 || y < 4 || x > 23 || y > 23) continue;
    const wave = isChecked ? Math.sin(fx * x + phase) * Math.sin(fy * y) : Math.sin(fx * x + fy * y + phase);
    target[i] = isSharp ? (wave > 0 ? 255 : 0) : Math.round(127.5 * (1 + wave));
  }
}

/** Grains of one to five pixels, sparse or dense. */
export function drawNoise(target: Uint8Array, random: Random): void {
  const grain = uniformInt(random, 1, 5);
  const density = between(random, 0.05, 0.9);
  const first = uniformInt(random, 0, 4);
  for (let y = first; y < imageSide - first; y += grain) {
    for (let x = first; x < imageSide - first; x += grain) {
      if (between(random, 0, 1) > density) continue;
      const value = uniformInt(random, 60, 255);
      for (let row = y; row < Math.min(y + grain, imageSide - first); row++)
        target.fill(value, row * imageSide + x, row * imageSide + Math.min(x + grain, imageSide - first));
    }
  }
}

type Shade = (x: number, y: number) => number;

function shading(random: Random): Shade {
  const base = between(random, 60, 255);
  const [dx, dy] = [between(random, -6, 6), between(random, -6, 6)];
  const [ripple, fx, fy] = [between(random, 0, 60), between(random, 0, 2), between(random, 0, 2)];
  return (x, y) => {
    const value = base + dx * (x - 13.5) + dy * (y - 13.5) + ripple * Math.sin(fx * x + fy * y);
    return Math.min(255, Math.max(30, Math.round(value)));
  };
}

/** Half the width, `along` 0 … 1 of the way down, on straight lines between the knots. */
function widthAt(knots: readonly number[], along: number): number {
  const place = along * (knots.length - 1);
  const before = Math.min(knots.length - 2, Math.floor(place));
  return knots[before]! + (place - before) * (knots[before + 1]! - knots[before]!);
}
