import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readSplit } from '../../../src/model/data/built-in.ts';
import { imageAt, type Split } from '../../../src/model/data/dataset.ts';
import { extentOf } from '../../../src/model/image/extent.ts';
import type { Greys } from '../../../src/model/image/greys.ts';
import { hasMnistForm, normalise } from '../../../src/model/image/normalise.ts';
import { isLong, runs } from '../../long.ts';
import {
  blank,
  codesOf,
  cropped,
  difference,
  digitPicture,
  drawLine,
  enlarged,
  inverted,
  mean,
  placed,
} from './pictures.ts';

const [train, test] = await Promise.all([readSplit('mnist', 'train'), readSplit('mnist', 'test')]);
const count = isLong ? 300 : 150;
const someDigits = Array.from({ length: count }, (_, i) => imageAt(test, Math.floor((i * 9900) / count)));

/** Any size, any greys: noise, or rectangles on a flat ground. */
const anyPicture: fc.Arbitrary<Greys> = fc
  .tuple(fc.integer({ min: 1, max: 64 }), fc.integer({ min: 1, max: 64 }))
  .chain(([width, height]) => fc.oneof(noise(width, height), rectangles(width, height)));

/** A digit somewhere on a larger flat canvas, its tones stretched or squeezed. */
const digitOnCanvas = fc
  .record({
    index: fc.nat(test.count - 1),
    width: fc.integer({ min: 40, max: 90 }),
    height: fc.integer({ min: 40, max: 90 }),
    factor: fc.constantFrom(1, 2, 3),
    contrast: fc.integer({ min: 40, max: 255 }),
  })
  .map(({ index, width, height, factor, contrast }) => {
    const digit = enlarged(cropped(digitPicture(imageAt(test, index))), factor);
    const values = digit.values.map((value) => Math.round((value * contrast) / 255));
    return { digit: { ...digit, values }, width: width + 20 * factor, height: height + 20 * factor };
  });

describe('an image in MNIST form', () => {
  it('comes back byte for byte, for all 70,000', () => {
    expect(changed([train, test], (digit) => digit)).toEqual([]);
  });

  it(`comes back byte for byte when it is inverted, for all ${isLong ? '70,000' : 'of the test part'}`, () => {
    expect(changed(isLong ? [train, test] : [test], inverted)).toEqual([]);
  });

  it('is a copy: the input is neither changed nor handed out', () => {
    const digit = imageAt(test, 0).slice();
    expect(normalise(digitPicture(digit))).not.toBe(digit);
    expect(digit).toEqual(imageAt(test, 0));
  });

  it.each([
    ['shifted by a pixel', (digit: Greys) => placed(cropped(digit), 28, 28, 0, 0)],
    ['faint', (digit: Greys) => ({ ...digit, values: digit.values.map((value) => value >> 1) })],
    ['of half the size', (digit: Greys) => placed(halved(digit), 28, 28, 7, 7)],
    ['inverted', inverted],
    ['blank', () => blank(28, 28)],
  ])('is not an image %s', (_, change) => {
    expect(someDigits.filter((digit) => hasMnistForm(change(digitPicture(digit)).values))).toEqual([]);
  });
});

describe('any greys', () => {
  it('give nothing or an image in MNIST form, which a second pass leaves as it is', () => {
    fc.assert(
      fc.property(anyPicture, (picture) => {
        const once = normalise(picture);
        if (once === null) return;
        expect(once).toHaveLength(784);
        expect(hasMnistForm(once)).toBe(true);
        expect(normalise(digitPicture(once))).toEqual(once);
      }),
      { numRuns: isLong ? 1000 : 100 },
    );
  });

  it('give the same digit inverted', () => {
    fc.assert(
      fc.property(digitOnCanvas, fc.nat(20), fc.nat(20), ({ digit, width, height }, left, top) => {
        const picture = placed(digit, width, height, left, top);
        expect(normalise(inverted(picture))).toEqual(normalise(picture));
      }),
      { numRuns: runs(300) },
    );
  });

  it('give the same digit wherever it lies on the canvas', () => {
    fc.assert(
      fc.property(digitOnCanvas, fc.nat(1e6), fc.nat(1e6), ({ digit, width, height }, right, down) => {
        const left = 1 + (right % (width - digit.width - 1)); // off the border, which tells the background
        const top = 1 + (down % (height - digit.height - 1));
        const corner = normalise(placed(digit, width, height, 1, 1));
        expect(normalise(placed(digit, width, height, left, top))).toEqual(corner);
      }),
      { numRuns: runs(300) },
    );
  });
});

describe('a picture of an MNIST digit', () => {
  it.each([
    // mean absolute difference in levels; measured 0.05, 0.23, 0.23, 0.05, 2.2, 0.5, 1.9
    ['shifted in 28×28', 0.2, (digit: Greys) => placed(cropped(digit), 28, 28, 0, 0)],
    ['enlarged ten times', 0.5, (digit: Greys) => enlarged(digit, 10)],
    [
      'enlarged seven times, inverted, off-centre',
      0.5,
      (digit: Greys) => inverted(placed(enlarged(digit, 7), 280, 250, 3, 50)),
    ],
    ['cut out with a margin of one pixel', 0.2, (digit: Greys) => cropped(digit, 1)],
    ['cut out tightly', 4, (digit: Greys) => cropped(digit)],
    ['grey on grey', 1, (digit: Greys) => tinted(enlarged(digit, 4), 200, 60)],
    ['noisy and lit from one side', 4, (digit: Greys) => photographed(enlarged(digit, 5))],
  ])('%s: is that digit to within %f levels', (_, bound, change) => {
    const differences = someDigits.map((digit) => difference(normalise(change(digitPicture(digit))), digit));
    expect(mean(differences)).toBeLessThan(bound);
  });
});

describe('what MNIST would have made of', () => {
  it('a small digit: 20 pixels high', () => {
    const picture = placed(halved(cropped(digitPicture(imageAt(test, 0)))), 60, 60, 20, 30);
    expect(extentOf(normalise(picture)!, 28).longest).toBe(20);
  });

  it('a long line across: 20 wide, its height in proportion', () => {
    const picture = blank(300, 200);
    drawLine(picture, [20, 50], [220, 50], 30);
    const { box } = extentOf(normalise(picture)!, 28);
    expect([box.x1 - box.x0 + 1, box.y1 - box.y0 + 1]).toEqual([20, 3]);
  });

  it.each([
    [1, 280],
    [3, 280],
    [6, 280],
    [3, 1200],
  ])('a cross drawn with a pen of %d pixels on %d: strokes as strong as a pen makes them', (pen, side) => {
    const picture = blank(side, side);
    drawLine(picture, [side * 0.2, side * 0.3], [side * 0.7, side * 0.8], pen);
    drawLine(picture, [side * 0.7, side * 0.3], [side * 0.2, side * 0.8], pen);
    const strong = normalise(picture)!.filter((value) => value > 127).length;
    expect(strong).toBeGreaterThan(50); // two strokes of 20 rows; area averages alone give one pixel a row
    expect(strong).toBeLessThan(140);
  });

  it('a faint digit: full ink', () => {
    const faint = tinted(enlarged(digitPicture(imageAt(test, 3)), 3), 120, 90);
    expect(extentOf(normalise(faint)!, 28).strongest).toBe(255);
  });
});

describe('no ink', () => {
  it.each([
    ['one white pixel', { values: Uint8Array.of(255), width: 1, height: 1 }],
    ['black', blank(28, 28)],
    ['one grey', tinted(blank(280, 280), 190, 0)],
    ['paper with grain', photographed(blank(200, 200))],
  ])('%s', (_, picture) => {
    expect(normalise(picture)).toBeNull();
  });
});

function changed(splits: readonly Split[], change: (digit: Greys) => Greys): number[] {
  const found: number[] = [];
  for (const split of splits) {
    for (let i = 0; i < split.count; i++) {
      const digit = imageAt(split, i);
      const result = normalise(change(digitPicture(digit)));
      if (result === null || Buffer.compare(result, digit) !== 0) found.push(i);
    }
  }
  return found;
}

function noise(width: number, height: number): fc.Arbitrary<Greys> {
  const size = width * height;
  return fc.uint8Array({ minLength: size, maxLength: size }).map((values) => ({ values, width, height }));
}

function rectangles(width: number, height: number): fc.Arbitrary<Greys> {
  const grey = fc.nat(255);
  const rectangle = fc.tuple(fc.nat(width - 1), fc.nat(height - 1), fc.nat(width), fc.nat(height), grey);
  return fc.tuple(grey, fc.array(rectangle, { maxLength: 6 })).map(([ground, drawn]) => {
    const picture = tinted(blank(width, height), ground, 0);
    for (const [x, y, w, h, tone] of drawn) {
      const end = Math.min(width, x + w);
      for (let row = y; row < Math.min(height, y + h); row++) {
        picture.values.fill(tone, row * width + x, row * width + end);
      }
    }
    return picture;
  });
}

function halved({ values, width, height }: Greys): Greys {
  const target = blank(width >> 1, height >> 1);
  for (let i = 0; i < target.values.length; i++) {
    target.values[i] = values[2 * Math.floor(i / target.width) * width + 2 * (i % target.width)]!;
  }
  return target;
}

/** Ink of `ink` levels darker than a ground of `ground`. */
function tinted({ values, width, height }: Greys, ground: number, ink: number): Greys {
  return { values: values.map((value) => Math.round(ground - (value * ink) / 255)), width, height };
}

/** Dark on paper: grain of ±9 levels, light that falls off by 40 from left to right. */
function photographed(picture: Greys): Greys {
  const { values, width, height } = tinted(picture, 190, 120);
  let state = 1;
  const random = () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
  return {
    values: values.map((value, i) => value + Math.round(18 * random() - 9 - (40 * (i % width)) / width)),
    width,
    height,
  };
}

describe('any size and shape', () => {
  it('never fails on noisy paper with one stroke', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 90 }),
        fc.integer({ min: 1, max: 1200 }),
        fc.boolean(),
        fc.integer({ min: 0, max: 2 ** 31 - 1 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (short, long, upright, seed, at) => {
          const [width, height] = upright ? [short, long] : [long, short];
          const values = new Uint8Array(width * height);
          let state = seed;
          for (let i = 0; i < values.length; i++) {
            state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
            values[i] = 200 + ((state >>> 16) % 16);
          }
          const start = Math.floor(at * (values.length - 1));
          for (let i = start; i < Math.min(values.length, start + 9 * width); i += width)
            values.fill(20, i, Math.min(values.length, i + 3));
          const digit = normalise({ values, width, height });
          expect(digit === null || digit.length === 784).toBe(true);
        },
      ),
      { numRuns: runs(300) },
    );
  });
});

describe('a picture of a few pixels', () => {
  const stroke = (width: number, height: number) => {
    const picture = blank(width, height);
    drawLine(picture, [Math.floor(width / 2), 1], [Math.floor(width / 2), height - 2], 1);
    return picture;
  };

  it.each([
    [6, 6],
    [6, 9],
    [11, 10],
    [40, 8],
  ])('of %i × %i has ink too low to be read: LOW_RESOLUTION', (width, height) => {
    expect(codesOf(stroke(width, height))).toEqual(['LOW_RESOLUTION']);
  });

  it.each([
    [6, 12],
    [11, 11],
    [8, 40],
  ])('of %i × %i is high enough', (width, height) => {
    expect(codesOf(stroke(width, height))).toEqual([]);
  });
});
