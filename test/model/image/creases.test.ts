/** A crease across the picture, at any angle, is taken away; a stroke from edge to edge is not. */
import { describe, expect, it } from 'vitest';
import type { Greys } from '../../../src/model/image/greys.ts';
import { normalise } from '../../../src/model/image/normalise.ts';
import { isLong } from '../../long.ts';
import {
  blank,
  codesOf,
  cropped,
  difference,
  digitPicture,
  drawLine,
  enlarged,
  inkOf,
  inverted,
  mean,
  placed,
  testDigit,
} from './pictures.ts';

const digits = Array.from({ length: isLong ? 25 : 10 }, (_, i) => i * 391);
const few = Math.floor(digits.length / 10); // may be taken wrong

/** White ink on black, 200 × 200, the digit 100 high. */
const page = (index: number) => placed(inkOf(index, 5), 200, 200, 50, 50);

type Crease = readonly [from: readonly [number, number], to: readonly [number, number]];
const creases: readonly Crease[] = [
  [
    [0, 30],
    [198, 170],
  ],
  [
    [20, 0],
    [180, 198],
  ],
  [
    [0, 150],
    [150, 0],
  ],
  [
    [198, 60],
    [60, 198],
  ],
  [
    [0, 120],
    [198, 80],
  ],
  [
    [110, 0],
    [70, 198],
  ],
];

const creased = (picture: Greys, [from, to]: Crease, tone: number) => {
  drawLine(picture, from, to, 2, tone);
  return picture;
};

/** Half of the paper is a little darker than the other: the side of the crease that faces away from the light. */
function shaded(picture: Greys, [from, to]: Crease): Greys {
  const isBeyond = (x: number, y: number) =>
    (to[0] - from[0]) * (y - from[1]) > (to[1] - from[1]) * (x - from[0]);
  const values = picture.values.map((value, i) =>
    isBeyond(i % picture.width, Math.floor(i / picture.width)) ? 230 - value * 0.8 : 200 - value * 0.7,
  );
  return { ...picture, values };
}

describe.each(creases)('a crease from %j to %j', (...crease: Crease) => {
  it.each([255, 150, 90])('of %i levels is taken away, and that is said', (tone) => {
    const far = digits.map((i) => {
      const read = normalise(creased(page(i), crease, tone));
      return difference(read, testDigit(i));
    });
    const plain = mean(digits.map((i) => difference(normalise(page(i)), testDigit(i))));
    expect(mean(far)).toBeLessThan(plain + 6); // a shift by one pixel is up to 20
    const said = digits.filter((i) => codesOf(creased(page(i), crease, tone))!.join() === 'RULES_REMOVED');
    expect(said.length).toBeGreaterThanOrEqual(digits.length - few);
  });

  it('that is lighter than the ink leaves the digit whole', () => {
    const far = digits.map((i) => difference(normalise(creased(page(i), crease, 0)), testDigit(i)));
    expect(mean(far)).toBeLessThan(12);
    expect(digits.filter((i) => codesOf(creased(page(i), crease, 0))!.length > 0).length).toBeLessThanOrEqual(
      few,
    );
  });

  it('with a shadow at one side is taken away', () => {
    const far = digits.map((i) =>
      difference(normalise(shaded(creased(page(i), crease, 150), crease)), testDigit(i)),
    );
    expect(mean(far)).toBeLessThan(12);
  });
});

describe('a stroke from edge to edge', () => {
  it('is no crease where it is all there is', () => {
    const stroke = blank(100, 100);
    drawLine(stroke, [30, 0], [68, 98], 2);
    expect(codesOf(stroke)).not.toContain('RULES_REMOVED');
    expect(normalise(inverted(stroke))).not.toBeNull();
  });

  it('is no crease in a digit that is cut out tightly', () => {
    const changed = digits.filter((i) => {
      const tight = enlarged(cropped(digitPicture(testDigit(i))), 4);
      return codesOf(tight)!.includes('RULES_REMOVED');
    });
    expect(changed).toEqual([]);
  });

  it('is no crease in a seven whose stroke and bar reach the edges', () => {
    const seven = blank(100, 100);
    drawLine(seven, [0, 1], [98, 1], 2);
    drawLine(seven, [97, 0], [30, 98], 2);
    expect(codesOf(seven)).not.toContain('RULES_REMOVED');
  });
});
