import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { readSplit } from '../../../src/model/data/built-in.ts';
import { imageAt } from '../../../src/model/data/dataset.ts';
import { renderSamples } from '../../../src/model/data/sample-sheet.ts';

const split = await readSplit('mnist', 'test');
const images = Array.from({ length: 10 }, (_, i) => imageAt(split, i));

/** The picture's greys and a way to cut out a part. */
async function render(digits: readonly Uint8Array[], labels: readonly string[]) {
  const png = await renderSamples(digits, labels);
  const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
  const at = (x: number, y: number) => data[(y * info.width + x) * info.channels]!;
  const part = (left: number, top: number, width: number, height: number) =>
    Array.from({ length: width * height }, (_, i) => at(left + (i % width), top + Math.floor(i / width)));
  return { width: info.width, height: info.height, part };
}

/** Left and top of the tile in a row and column; 168 a tile, 28 between, 12 + 21 for the label. */
const tile = (column: number, row: number) => [28 + 196 * column, 28 + 229 * row] as const;

describe('renderSamples', () => {
  it('shows nine digits in three rows, six times enlarged, in their order', async () => {
    const { width, height, part } = await render(
      images.slice(0, 9),
      [...split.labels.subarray(0, 9)].map(String),
    );
    expect([width, height]).toEqual([616, 715]);
    for (let i = 0; i < 9; i++) {
      const shown = part(...tile(i % 3, Math.floor(i / 3)), 168, 168);
      const centres = [...images[i]!.keys()].map(
        (p) => shown[(6 * Math.floor(p / 28) + 3) * 168 + 6 * (p % 28) + 3],
      );
      expect(centres).toEqual([...images[i]!]);
    }
  });

  it('writes a different label for each of the ten digits, centred beneath its tile', async () => {
    const labels = Array.from({ length: 10 }, (_, i) => String(i));
    const { part } = await render(images, labels);
    const drawn = labels.map((_label, i) => {
      const [left, top] = tile(i % 4, Math.floor(i / 4));
      const label = part(left, top + 168 + 12, 168, 21);
      const inked = label.flatMap((value, p) => (value < 128 ? [p % 168] : []));
      expect(Math.min(...inked)).toBeGreaterThanOrEqual(76);
      expect(Math.max(...inked)).toBeLessThan(76 + 15);
      return label.join();
    });
    expect(new Set(drawn).size).toBe(10);
  });

  it('writes labels in any script, within the width of the tile', async () => {
    const labels = ['ж', 'a & <b>', 'a label that is as long as a label may be, and wider than a tile'];
    const { part } = await render(images.slice(0, 3), labels);
    for (let i = 0; i < 3; i++) {
      const [left, top] = tile(i % 2, Math.floor(i / 2));
      const label = part(left, top + 168 + 12, 168, 21);
      expect(label.filter((value) => value < 200).length).toBeGreaterThan(10);
      expect(new Set(part(left, top + 168, 168, 12))).toEqual(new Set([250]));
      expect(new Set(part(left, top + 168 + 12 + 21, 168, 28))).toEqual(new Set([250]));
    }
  });

  it('leaves nothing but paper between and around', async () => {
    const { width, height, part } = await render(images.slice(0, 4), ['1', '2', '3', '4']);
    expect(new Set(part(0, 0, width, 28))).toEqual(new Set([250]));
    expect(new Set(part(0, 0, 28, height))).toEqual(new Set([250]));
    expect(new Set(part(28 + 168, 0, 28, height))).toEqual(new Set([250]));
  });

  it.each([
    [1, 1, 1],
    [2, 2, 1],
    [5, 3, 2],
    [10, 4, 3],
  ])('arranges %d digits in %d columns and %d rows', async (count, columns, rows) => {
    const { width, height } = await render(images.slice(0, count), Array(count).fill('0'));
    expect([width, height]).toEqual([28 + 196 * columns, 28 + 229 * rows]);
  });

  it.each<[string, Uint8Array[], string[]]>([
    ['no images', [], []],
    ['a label too few', images.slice(0, 2), ['1']],
    ['an image of another size', [new Uint8Array(783)], ['1']],
  ])('refuses %s', async (_, digits, labels) => {
    await expect(renderSamples(digits, labels)).rejects.toMatchObject({ code: 'SAMPLES_INVALID' });
  });
});
