/** Labelled pictures that are no digits: a bright square whose place is the label. */
import { greyPng } from '../../harness/plain-png.ts';
import type { ZipEntry } from '../../harness/zip.ts';
import { between, type Random, randomFor } from '../../src/lib/random.ts';

const side = 28; // pixels
const block = 6; // of the square
const [rows, columns] = [4, 5]; // of places: fewer than labels, so that some labels look alike

/** Labels of any script and length; more than bars and buttons show at once. */
export const signs: readonly string[] = [
  'a label that is far too long for a bar or a heading',
  'Ö',
  '漢字',
  'سلام',
  ...Array.from({ length: 20 }, (_, i) => `sign ${i + 1}`),
];

/** `count` different pictures of each label. */
export function signPictures(count: number): ZipEntry[] {
  const random = randomFor(1, 'signs');
  return signs.flatMap((label, position) =>
    Array.from({ length: count }, (_, i) => ({
      name: `${label}/${i}.png`,
      data: greyPng(drawSign(position, random), side, side),
    })),
  );
}

/** One picture [784] of the label at that position, with noise and a little off its place. */
function drawSign(position: number, random: Random): Uint8Array {
  const place = position % (rows * columns);
  const [row, column] = [Math.floor(place / columns), place % columns];
  const [top, left] = [row, column].map((step) => step * 5 + Math.floor(between(random, 0, 2)));
  return Uint8Array.from({ length: side * side }, (_, i) => {
    const [y, x] = [Math.floor(i / side) - top!, (i % side) - left!];
    const isInside = y >= 0 && y < block && x >= 0 && x < block;
    return (isInside ? 200 : 20) + Math.floor(between(random, 0, 40));
  });
}
