/**
 * Ways of writing a digit that are rare in MNIST, which American hands wrote, and usual elsewhere: a 1 with a flag and a foot,
 * a 7 with a bar, a 4 that is open or leans, a 9 with a curled tail.
 */
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { between, type Random } from '../../lib/random.ts';
import type { Point, Stroke } from './outliers/strokes.ts';

/** Draws a digit's strokes in a box of about 1 × 1.6, y pointing down. */
type Style = (random: Random) => Stroke[];

const styles: ReadonlyMap<number, Style> = new Map([
  [1, flaggedOne],
  [2, straightTwo],
  [4, straightFour],
  [7, barredSeven],
  [9, curledNine],
]);

/** The strokes of `digit` in one of these ways; null where it has none. */
export function strokesOf(digit: number, random: Random): Stroke[] | null {
  return styles.get(digit)?.(random) ?? null;
}

function flaggedOne(random: Random): Stroke[] {
  const flag = between(random, 0.1, 0.55);
  const strokes: Stroke[] = [
    [
      [-flag, between(random, 0.15, 0.75)],
      [0, 0],
      [between(random, -0.05, 0.05), 1.6],
    ],
  ];
  if (uniformInt(random, 0, 2) === 0) {
    const foot = between(random, 0.1, 0.3);
    strokes.push([
      [-foot, 1.6],
      [foot, 1.6],
    ]);
  }
  return strokes;
}

function straightTwo(random: Random): Stroke[] {
  const [turn, foot] = [between(random, 0.25, 0.5), between(random, 0.2, 0.6)];
  const heel = between(random, -0.5, -0.2);
  return [
    [
      [-turn, between(random, 0.2, 0.5)],
      [-turn / 2, 0],
      [turn / 2, 0],
      [turn, between(random, 0.3, 0.5)],
      [heel, 1.6],
      [heel + 0.05, 1.55],
      [foot, between(random, 1.4, 1.65)],
    ],
  ];
}

function barredSeven(random: Random): Stroke[] {
  const left = between(random, -0.6, -0.4);
  const hook = between(random, 0, 0.2);
  const foot: Point = [between(random, -0.3, 0.05), 1.6];
  const strokes: Stroke[] = [[[left, hook], [left, 0], [0.5, 0], foot]];
  if (uniformInt(random, 0, 4) > 0) {
    const height = between(random, 0.6, 1);
    const reach = between(random, 0.2, 0.4);
    strokes.push([
      [0.1 - reach, height],
      [0.15 + reach, height - between(random, 0, 0.15)],
    ]);
  }
  return strokes;
}

function straightFour(random: Random): Stroke[] {
  const bar = between(random, 0.8, 1.3);
  const top: Point = [between(random, -0.3, 0.4), 0];
  const stemTop: Point = [between(random, 0.1, 0.6), between(random, 0, 0.9)];
  const stemFoot: Point = [stemTop[0] - between(random, -0.1, 0.5), 1.6];
  return [
    [
      top,
      [between(random, -0.65, -0.4), bar],
      [between(random, 0.45, 0.7), bar + between(random, -0.15, 0.1)],
    ],
    [stemTop, stemFoot],
  ];
}

function curledNine(random: Random): Stroke[] {
  const [wide, high] = [between(random, 0.2, 0.5), between(random, 0.3, 0.5)];
  const gap = between(random, -0.3, 0.9); // radians; more than 0: the loop stays open
  const from = uniformInt(random, 0, 1) === 0 ? between(random, -0.6, 0.2) : between(random, 2, 3.6);
  const loop = Array.from({ length: 13 }, (_, i): Point => {
    const angle = from - (i / 12) * (2 * Math.PI - gap);
    return [wide * Math.cos(angle), high + high * Math.sin(angle)];
  });
  const curl = between(random, -0.1, 0.6);
  const tail: Stroke = [
    [wide, between(random, 0, high)],
    [wide, between(random, 0.9, 1.3)],
    [wide - curl / 2, 1.6],
    [wide - 1.6 * curl, 1.6 - between(random, 0, 0.35) * curl],
  ];
  return [loop, tail];
}
