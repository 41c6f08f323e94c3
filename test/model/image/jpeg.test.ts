/** JPEGs and PNGs that every viewer opens are read; what is really cut off or damaged is not. */
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { readSplit } from '../../../src/model/data/built-in.ts';
import { imageAt } from '../../../src/model/data/dataset.ts';
import { readDigit } from '../../../src/model/image/read-digit.ts';
import { tidyJpeg } from '../../../src/model/image/tidy-jpeg.ts';
import { difference, digitPicture, enlarged, inverted } from './pictures.ts';

const { values, width, height } = inverted(
  enlarged(digitPicture(imageAt(await readSplit('mnist', 'test'), 0)), 6),
);
const picture = sharp(values, { raw: { width, height, channels: 1 } });
const png = await picture.clone().toColourspace('srgb').png().toBuffer();
const blankDigit = new Uint8Array(784);
const end = 2; // bytes of the end marker

/** With bytes put in at a place. */
const into = (bytes: Buffer, at: number, ...more: number[]) =>
  Buffer.concat([bytes.subarray(0, at), Buffer.from(more), bytes.subarray(at)]);
const marker = (bytes: Buffer, code: number) => bytes.indexOf(Buffer.from([0xff, code]));
const [tables, scan] = [0xdb, 0xda];

describe.each([
  ['baseline', false],
  ['progressive', true],
])('a %s JPEG', async (_kind, progressive) => {
  const jpeg = await picture.clone().jpeg({ progressive }).toBuffer();
  const expected = await readDigit(jpeg);

  it.each<[string, Buffer]>([
    ['zeros at the end of the scan', into(jpeg, jpeg.length - end, 0, 0, 0)],
    ['many zeros there', into(jpeg, jpeg.length - end, ...Array<number>(500).fill(0))],
    ['bytes after the end', into(jpeg, jpeg.length, 0, 0, 1, 2, 3)],
    ['a second picture after it', Buffer.concat([jpeg, jpeg])],
    ['a stray byte before a table', into(jpeg, marker(jpeg, tables), 0x12)],
    ['stray bytes after the start', into(jpeg, 2, 0, 0, 7)],
    ['a stray byte before the scan', into(jpeg, marker(jpeg, scan), 9)],
    ['fill bytes before a marker', into(jpeg, marker(jpeg, tables), 0xff, 0xff)],
    ['no end marker', jpeg.subarray(0, -end)],
  ])('is read with %s', async (_what, bytes) => {
    expect(expected.ok).toBe(true);
    expect(await readDigit(bytes)).toEqual(expected);
  });

  it.each<[string, Buffer]>([
    ['in the middle of its scan', jpeg.subarray(0, Math.floor((marker(jpeg, scan) + jpeg.length) / 2))],
    ['a few bytes before its end', jpeg.subarray(0, -end - 8)],
    ['before its scan', jpeg.subarray(0, marker(jpeg, scan))],
    ['after its first bytes', jpeg.subarray(0, 20)],
  ])('is damaged when it is cut off %s', async (_where, bytes) => {
    expect(await readDigit(bytes)).toMatchObject({ ok: false, code: 'IMAGE_NOT_DECODABLE' });
  });
});

describe('a PNG', () => {
  const data = png.indexOf('IDAT');

  it.each<[string, Buffer]>([
    ['bytes after its end', into(png, png.length, 1, 2, 3)],
    [
      'an unknown chunk with a wrong checksum',
      into(png, 33, 0, 0, 0, 1, ...Buffer.from('abCd'), 7, 1, 2, 3, 4),
    ],
  ])('is read with %s', async (_what, bytes) => {
    expect(await readDigit(bytes)).toEqual(await readDigit(png));
  });

  it('is damaged when it is cut off', async () => {
    expect(await readDigit(png.subarray(0, data + 20))).toMatchObject({ code: 'IMAGE_NOT_DECODABLE' });
  });
});

describe('a JPEG whose scans are damaged', () => {
  it('is not read as another picture, progressive or not', async () => {
    for (const progressive of [false, true]) {
      const jpeg = await picture.clone().jpeg({ progressive, quality: 70 }).toBuffer();
      const whole = await readDigit(jpeg);
      const from = marker(jpeg, scan) + 20;
      const far: number[] = [];
      for (let at = from; at < jpeg.length - end; at += Math.ceil((jpeg.length - from) / 60)) {
        const damaged = Buffer.from(jpeg);
        damaged[at]! ^= 1 << (at % 8);
        const answer = await readDigit(damaged);
        const strict = await sharp(damaged, { failOn: 'warning' })
          .raw()
          .toBuffer()
          .then(
            () => true,
            () => false,
          );
        if (answer.ok && !strict) far.push(difference(answer.pixels, whole.ok ? whole.pixels : blankDigit));
      }
      expect(whole.ok).toBe(true);
      expect(far.length).toBeLessThan(3);
      expect(Math.max(0, ...far)).toBeLessThan(5);
    }
  });

  it('with more segments than any file has is refused at once', async () => {
    const segments = Buffer.from([0xff, 0xe0, 0, 2]);
    const bytes = Buffer.concat([Buffer.from([0xff, 0xd8]), ...Array<Buffer>(1_000_000).fill(segments)]);
    expect(tidyJpeg(bytes)).toBeNull();
  });
});
