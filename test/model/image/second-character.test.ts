/** A second digit is never passed over in silence; strokes, specks and rests of print are no digits. */
import { describe, expect, it } from 'vitest';
import type { Greys } from '../../../src/model/image/greys.ts';
import { isLong } from '../../long.ts';
import { blank, codesOf, drawLine, inkOf, inverted, placed } from './pictures.ts';

const [first, margin] = [{ factor: 4, side: 80 }, 30]; // pixels a pixel of MNIST; pixels
const isSeveral = (picture: Greys) => codesOf(picture)!.includes('SEVERAL_SHAPES');
const indices = Array.from({ length: isLong ? 100 : 40 }, (_, n) => n * 31);
/** So many of a hundred may be taken wrong. */
const few = (percent: number) => Math.ceil((percent * indices.length) / 100);

type Side = 'left' | 'right' | 'above' | 'below' | 'corner';

/** A digit of 80 pixels, and another, each pixel `factor` × `factor`, whose box is `gap` pixels from that of the first. */
function pair(index: number, other: number, factor: number, gap: number, side: Side): Greys {
  const [large, small] = [inkOf(index, first.factor), inkOf(other, factor)];
  const room = first.side + gap + margin;
  const picture = placed(large, large.width + 2 * room, large.height + 2 * room, room, room);
  const isAcross = side === 'left' || side === 'right' || side === 'corner';
  const x = side === 'left' ? -gap - small.width : isAcross ? large.width + gap : 5;
  const y = side === 'above' || side === 'corner' ? -gap - small.height : isAcross ? 9 : large.height + gap;
  return withInk(picture, small, room + x, room + y);
}

function withInk(picture: Greys, ink: Greys, left: number, top: number): Greys {
  for (let i = 0; i < ink.values.length; i++) {
    const at = (top + Math.floor(i / ink.width)) * picture.width + left + (i % ink.width);
    picture.values[at] = Math.max(picture.values[at]!, ink.values[i]!);
  }
  return picture;
}

/** One digit of 80 pixels with room around it. */
function alone(index: number): Greys {
  const ink = inkOf(index, first.factor);
  return placed(ink, ink.width + 2 * margin, ink.height + 2 * margin, margin, margin);
}

describe('a second digit is said to be there', () => {
  it.each<[string, number, number, Side]>([
    ['of half the height on the right', 2, 14, 'right'],
    ['of half the height on the left', 2, 30, 'left'],
    ['of half the height above', 2, 14, 'above'],
    ['of half the height below', 2, 30, 'below'],
    ['of half the height at a corner, as an exponent', 2, 8, 'corner'],
    ['of a quarter of the height on the right', 1, 14, 'right'],
    ['of a quarter of the height on the left', 1, 30, 'left'],
    ['of a quarter of the height above', 1, 14, 'above'],
    ['of a quarter of the height below', 1, 40, 'below'],
    ['as large, right below', 4, 10, 'below'],
    ['as large, far below', 4, 40, 'below'],
    ['of three quarters of the height above', 3, 14, 'above'],
  ])('%s', (_, factor, gap, side) => {
    const pictures = indices.map((index) => pair(index, index + 7, factor, gap, side));
    const unsaid = pictures.filter((picture) => !isSeveral(picture));
    expect(unsaid.length).toBeLessThanOrEqual(few(3));
  });

  it('in black on white as in white on black', () => {
    for (const index of indices.slice(0, 20)) {
      const picture = pair(index, index + 7, 2, 14, 'below');
      expect(codesOf(inverted(picture))).toEqual(codesOf(picture));
    }
  });
});

describe('one digit stays one', () => {
  const falselySeveral = (change: (picture: Greys, index: number) => Greys) =>
    indices.filter((index) => isSeveral(change(alone(index), index)));

  it.each([1, 2, 3])('with a gap of %i pixels across its strokes', (gap) => {
    const broken = falselySeveral((picture, index) => {
      const y = margin + 20 + (index % 40);
      picture.values.fill(0, y * picture.width, (y + gap) * picture.width);
      return picture;
    });
    expect(broken.length).toBeLessThanOrEqual(few(1));
  });

  it.each([
    ['a speck', 6, 6],
    ['a blot', 12, 12],
    ['a large blot', 18, 18],
    ['a dash', 24, 5],
    ['a long dash', 60, 5],
    ['a ruled post', 2, 24],
  ])('beside %s', (_, width, height) => {
    const speck = { values: new Uint8Array(width * height).fill(255), width, height };
    const besides = falselySeveral((picture) => {
      const wide = placed(picture, picture.width + 80, picture.height, 0, 0);
      return withInk(wide, speck, picture.width, 40);
    });
    expect(besides.length).toBeLessThanOrEqual(few(1));
  });

  it('with the bar of a 5 that does not touch it', () => {
    const picture = blank(120, 140);
    drawLine(picture, [40, 20], [90, 20], 6);
    drawLine(picture, [40, 36], [40, 60], 6);
    drawLine(picture, [40, 60], [80, 70], 6);
    drawLine(picture, [80, 70], [80, 100], 6);
    drawLine(picture, [80, 100], [40, 110], 6);
    expect(codesOf(picture)).toEqual([]);
  });

  it('of any kind, all but some in a thousand', () => {
    const digits = Array.from({ length: isLong ? 1000 : 250 }, (_, n) => n * 9);
    const said = digits.filter((index) => isSeveral(alone(index)));
    expect(said.length).toBeLessThanOrEqual(0.004 * digits.length);
  });
});
