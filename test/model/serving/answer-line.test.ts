import { describe, expect, it } from 'vitest';
import { digitLabels } from '../../../src/model/data/labels.ts';
import type { LineShape, Piece } from '../../../src/model/image/find-line.ts';
import { type WarningCode, warning } from '../../../src/model/image/warnings.ts';
import { answerLine } from '../../../src/model/serving/answer-line.ts';

const calibration = {
  temperature: 1,
  threshold: 0.5,
  ece: 0,
  falseAlarms: 0,
  images: 100,
  method: 'of the test',
};

/** A piece that the network below reads as `digit`, as surely as `logit` says. */
function piece(from: number, to: number, digit: number, logit: number): Piece {
  const pixels = new Uint8Array(784);
  pixels.set([digit, logit]);
  const box = { x: 10 * from, y: 0, width: 10 * (to - from), height: 20 };
  return { from, to, pixels, box, height: 1 };
}

const whole = (digit: number, logit = 9): LineShape => ({
  ends: 1,
  pieces: [piece(0, 1, digit, logit)],
  costs: [],
  several: 0,
});

/** Reads the digit and its logit from the first two pixels; all others have -5. */
function network(pixels: Uint8Array): Float32Array {
  batches.push(pixels.length / 784);
  const logits = new Float32Array((pixels.length / 784) * 10).fill(-5);
  for (let i = 0; i < pixels.length / 784; i++) logits[10 * i + pixels[784 * i]!] = pixels[784 * i + 1]! - 5;
  return logits;
}
let batches: number[] = [];

const read = async (shapes: LineShape[], shrink = 1, codes: readonly WarningCode[] = []) => {
  batches = [];
  return answerLine({ shapes, warnings: codes.map(warning) }, shrink, network, {
    labels: digitLabels,
    calibration,
  });
};

describe('a line', () => {
  it('is read from left to right, each character with its box and its verdict', async () => {
    const line = await read([whole(4), whole(2, 3)]);
    expect(line).toMatchObject({ text: '42', verdict: 'unknown', calibrated: true, warnings: [] });
    expect(line.characters).toMatchObject([
      { label: '4', verdict: 'known', box: { x: 0, y: 0, width: 10, height: 20 } },
      { label: '2', verdict: 'unknown' },
    ]);
    expect((await read([whole(4), whole(2)])).verdict).toBe('known');
  });

  it.each(['SEVERAL_LINES', 'TOO_MANY_CHARACTERS'] as const)('is not known with %s', async (code) => {
    expect(await read([whole(4), whole(2)], 1, [code])).toMatchObject({ verdict: 'unsure', text: '42' });
    expect((await read([whole(4), whole(2, 3)], 1, [code])).verdict).toBe('unknown');
    expect((await read([whole(4)], 1, ['RULES_REMOVED'])).verdict).toBe('known');
  });

  it('has boxes in the pixels of the picture, however much that was shrunk', async () => {
    expect((await read([whole(4)], 2.5)).characters[0]!.box).toEqual({ x: 0, y: 0, width: 25, height: 50 });
  });

  it('is cut where both parts are surely characters, and not where one is none', async () => {
    const cut = (left: number, right: number): LineShape => ({
      ends: 2,
      pieces: [piece(0, 1, 1, left), piece(1, 2, 7, right), piece(0, 2, 8, 5)],
      costs: [0],
      several: 0.5,
    });
    expect((await read([cut(12, 12)])).text).toBe('17');
    expect((await read([cut(12, 0)])).text).toBe('8');
  });

  it('is inferred in batches of at most 16 pieces, so that others are read in between', async () => {
    expect((await read(Array.from({ length: 40 }, (_, i) => whole(i % 10)))).text).toHaveLength(40);
    expect(batches).toEqual([16, 16, 8]);
  });

  it('without characters has no text, and is unknown', async () => {
    expect(await read([])).toMatchObject({ text: '', characters: [], verdict: 'unknown' });
    expect(batches).toEqual([]);
  });
});
