/** Several characters: told from one, and read from left to right. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { choosePieces } from '../../../src/model/image/choose-pieces.ts';
import { type FoundLine, findLine, type LineShape, type Piece } from '../../../src/model/image/find-line.ts';
import type { Greys } from '../../../src/model/image/greys.ts';
import { normalise } from '../../../src/model/image/normalise.ts';
import { readLine } from '../../../src/model/image/read-line.ts';
import { runs } from '../../long.ts';
import { mnist } from '../data/mnist.ts';
import { grey } from './picture-files.ts';
import { blank, codesOf, difference, drawLine, inkOf, inverted, placed, testDigit } from './pictures.ts';

/** White on black, side by side with `gap` pixels between their boxes; below 0 they overlap. */
function row(indices: readonly number[], factor: number, gap: number): Greys {
  const inks = indices.map((i) => inkOf(i, factor));
  const margin = 6 * factor;
  const width = inks.reduce((sum, each) => sum + each.width + gap, 2 * margin);
  const picture = blank(width, 20 * factor + 2 * margin);
  let left = margin;
  for (const each of inks) {
    for (let i = 0; i < each.values.length; i++) {
      const at = (margin + Math.floor(i / each.width)) * width + left + (i % each.width);
      picture.values[at] = Math.max(picture.values[at]!, each.values[i]!);
    }
    left += each.width + gap;
  }
  return picture;
}

const isSeveral = (picture: Greys) => codesOf(picture)!.includes('SEVERAL_SHAPES');

const lineCodes = (picture: Greys) => findLine(picture).warnings.map(({ code }) => code);

const someDigits = fc.nat(mnist.test.count - 1);

describe('several characters in one picture', () => {
  it('are said to be several when they are apart', () => {
    const pairs = Array.from({ length: 100 }, (_, n) => [n * 17, n * 29 + 5]);
    const unsaid = pairs.filter((pair) => !isSeveral(row(pair, 3, 12)));
    expect(unsaid.length).toBeLessThanOrEqual(1);
  });

  it('are mostly said to be several when they touch', () => {
    const pairs = Array.from({ length: 100 }, (_, n) => [n * 17, n * 29 + 5]);
    const said = pairs.filter((pair) => isSeveral(row(pair, 3, -9)));
    expect(said.length).toBeGreaterThanOrEqual(80);
  });

  it.each([
    [2, 1000],
    [5, 150],
  ])('are not seen in one digit, enlarged %i times, but for 3 in %i', (factor, count) => {
    const picture = (i: number) => placed(inkOf(i, factor), 30 * factor, 30 * factor, 5 * factor, 5 * factor);
    const said = Array.from({ length: count }, (_, n) => n * 10).filter((i) => isSeveral(picture(i)));
    expect(said.length).toBeLessThanOrEqual(3);
  });

  it('are read as the largest alone', () => {
    const picture = row([0, 1], 4, 20);
    const far = [0, 1].map((i) => difference(normalise(picture), testDigit(i)));
    expect(Math.min(...far)).toBeLessThan(8);
  });
});

describe('the characters of a line', () => {
  it('come from left to right, each as it would be alone, in their places', () => {
    const indices = [0, 1, 2, 3, 4, 5, 7];
    const { shapes, warnings } = findLine(row(indices, 4, 16));
    expect(warnings).toEqual([]);
    expect(shapes).toHaveLength(indices.length);
    let before = -1;
    for (const [n, shape] of shapes.entries()) {
      const whole = wholeOf(shape);
      expect(difference(whole.pixels, testDigit(indices[n]!))).toBeLessThan(14);
      expect(whole.box.x).toBeGreaterThan(before);
      before = whole.box.x + whole.box.width;
    }
  });

  it('are the same in the inverse picture', () => {
    fc.assert(
      fc.property(fc.array(someDigits, { minLength: 1, maxLength: 5 }), (indices) => {
        const picture = row(indices, 3, 10);
        expect(findLine(inverted(picture))).toEqual(findLine(picture));
      }),
      { numRuns: runs(50) },
    );
  });

  it('are found in the fields of a form', () => {
    const picture = row([0, 1, 2, 3], 4, 40);
    const { width, height } = picture;
    for (const y of [8, height - 10]) drawLine(picture, [2, y], [width - 4, y], 2);
    for (const x of [2, width - 4]) drawLine(picture, [x, 8], [x, height - 10], 2);
    const { shapes, warnings } = findLine(picture);
    expect(shapes).toHaveLength(4);
    expect(warnings.map(({ code }) => code)).toContain('FRAME_REMOVED');
  });

  it('are found inside a frame along the edge, in their places', () => {
    const picture = row([0, 1, 2, 3], 4, 30);
    const [width, height] = [picture.width + 16, picture.height + 12];
    const framed = placed(picture, width, height, 8, 6);
    for (const y of [0, height - 2]) drawLine(framed, [0, y], [width - 2, y], 2);
    for (const x of [0, width - 2]) drawLine(framed, [x, 0], [x, height - 2], 2);
    const { shapes, warnings } = findLine(framed);
    expect(warnings.map(({ code }) => code)).toEqual(['FRAME_REMOVED']);
    const boxes = (found: readonly LineShape[]) => found.map((shape) => wholeOf(shape).box);
    const moved = boxes(findLine(picture).shapes).map((box) => ({ ...box, x: box.x + 8, y: box.y + 6 }));
    expect(boxes(shapes)).toEqual(moved);
  });

  it('are said to be of several lines where one stands below another', () => {
    const [upper, lower] = [row([0, 1, 2, 3], 3, 15), row([4, 5, 6], 3, 20)];
    const picture = placed(upper, upper.width, upper.height + lower.height - 20, 0, 0);
    for (let i = 0; i < lower.values.length; i++) {
      const at = (upper.height - 20 + Math.floor(i / lower.width)) * picture.width + (i % lower.width);
      picture.values[at] = Math.max(picture.values[at]!, lower.values[i]!);
    }
    expect(lower.width).toBeLessThanOrEqual(upper.width);
    expect(lineCodes(picture)).toEqual(['SEVERAL_LINES']);
    expect(lineCodes(upper)).toEqual([]);
  });

  it('are of one line where that rises or falls', () => {
    for (const rise of [-9, 9]) {
      const picture = blank(700, 200);
      for (let n = 0; n < 10; n++) {
        const ink = inkOf(n * 7, 3);
        const [left, top] = [20 + n * 66, 70 + rise * (n - 5)];
        for (let y = 0; y < ink.height; y++)
          picture.values.set(ink.values.subarray(y * ink.width, (y + 1) * ink.width), (top + y) * 700 + left);
      }
      expect(lineCodes(picture)).toEqual([]);
    }
  });

  it('are read up to the sixtieth, and what is left out is said', () => {
    const indices = Array.from({ length: 64 }, (_, n) => n);
    const all = findLine(row(indices, 2, 10));
    expect(all.shapes).toHaveLength(60);
    expect(all.warnings.map(({ code }) => code)).toEqual(['TOO_MANY_CHARACTERS']);
    expect(lineCodes(row(indices.slice(0, 60), 2, 10))).toEqual([]);
  });

  it('that touch come with a piece for each of them', () => {
    const { shapes } = findLine(row([3, 8], 4, -6));
    expect(shapes).toHaveLength(1);
    const { pieces, ends } = shapes[0]!;
    expect(ends).toBeGreaterThan(1);
    expect(pieces.some(({ from }) => from > 0)).toBe(true);
    expect(pieces.every(({ pixels }) => pixels.length === 784)).toBe(true);
  });

  it('are none on a blank page', () => {
    expect(findLine(blank(100, 40))).toEqual({ shapes: [], warnings: [] });
    expect(findLine(blank(1, 1)).shapes).toEqual([]);
  });

  it('are never fewer than nothing: any size is read without a fault', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 70 }),
        fc.integer({ min: 1, max: 70 }),
        fc.nat(),
        (width, height, seed) => {
          let state = seed;
          const values = Uint8Array.from({ length: width * height }, () => {
            state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
            return state >>> 24;
          });
          for (const shape of findLine({ values, width, height }).shapes)
            expect(shape.pieces.length).toBeGreaterThan(0);
        },
      ),
      { numRuns: runs(200) },
    );
  });
});

describe('a line in a file', () => {
  it('is read as its greys are', async () => {
    const bytes = await grey(testDigit(0)).png().toBuffer();
    expect(await readLine(bytes)).toMatchObject({ ok: true, line: { shapes: [{ ends: 1 }] }, shrink: 1 });
  });

  it('without ink: IMAGE_NO_INK; without bytes: IMAGE_EMPTY', async () => {
    const bytes = await grey(new Uint8Array(784)).png().toBuffer();
    expect(await readLine(bytes)).toMatchObject({ ok: false, code: 'IMAGE_NO_INK' });
    expect(await readLine(new Uint8Array())).toMatchObject({ ok: false, code: 'IMAGE_EMPTY' });
  });
});

describe('the choice among pieces', () => {
  const piece = (from: number, to: number, sure: number, height = 1): Piece => ({
    from,
    to,
    pixels: Uint8Array.of(Math.round(sure * 100)),
    box: { x: from, y: 0, width: to - from, height: 1 },
    height,
  });
  const choose = (several: number, ends: number, pieces: readonly Piece[]) => {
    const line: FoundLine = {
      shapes: [{ ends, pieces, costs: Array(ends - 1).fill(0.1), several }],
      warnings: [],
    };
    const scores = pieces.map(({ pixels }) => pixels[0]! / 100);
    const chosen = choosePieces(line, scores, (sure) => sure);
    return chosen.map(({ piece: { from, to } }) => `${from}-${to}`).join(' ');
  };

  it('keeps a shape whole that is surely one', () => {
    expect(choose(0.1, 2, [piece(0, 2, 0.6), piece(0, 1, 0.9), piece(1, 2, 0.9)])).toBe('0-2');
  });

  it('takes the cut whose least certain piece is most certain', () => {
    const pieces = [
      piece(0, 3, 0.9),
      piece(0, 1, 0.99),
      piece(1, 3, 0.3),
      piece(0, 2, 0.8),
      piece(2, 3, 0.8),
      piece(1, 2, 0.2),
    ];
    expect(choose(0.99, 3, pieces)).toBe('0-2 2-3');
  });

  it('cuts no more than it has to, and no low crumbs off', () => {
    expect(choose(0.9, 3, [piece(0, 1, 0.9), piece(1, 3, 0.9), piece(1, 2, 0.92), piece(2, 3, 0.92)])).toBe(
      '0-1 1-3',
    );
    expect(choose(0.6, 2, [piece(0, 2, 0.8), piece(0, 1, 0.9, 0.1), piece(1, 2, 0.9)])).toBe('0-2');
  });

  it('is the whole where no cut leads from end to end, and nothing where there is nothing', () => {
    expect(choose(0.99, 2, [piece(0, 2, 0.2), piece(0, 1, 0.9)])).toBe('0-2');
    expect(choose(0.5, 1, [])).toBe('');
  });
});

function wholeOf({ ends, pieces }: LineShape): Piece {
  return pieces.find(({ from, to }) => from === 0 && to === ends)!;
}
