import { describe, expect, it } from 'vitest';
import { readSplit } from '../../../src/model/data/built-in.ts';
import { imageAt } from '../../../src/model/data/dataset.ts';
import { readDigit } from '../../../src/model/image/read-digit.ts';
import { chunk, grey, large } from './picture-files.ts';

const digit = imageAt(await readSplit('mnist', 'test'), 0);

describe('a file that is untidy but whole is read', () => {
  it.each<[string, (jpeg: Buffer) => Buffer]>([
    ['zeros before the end marker', (jpeg) => inserted(jpeg, jpeg.length - 2, Buffer.alloc(3))],
    ['many zeros before the end marker', (jpeg) => inserted(jpeg, jpeg.length - 2, Buffer.alloc(5000))],
    ['a stray byte after the start marker', (jpeg) => inserted(jpeg, 2, Buffer.from([0]))],
    ['a stray 0xff00 after the start marker', (jpeg) => inserted(jpeg, 2, Buffer.from([0xff, 0]))],
    ['a stray byte before a table', (jpeg) => inserted(jpeg, segment(jpeg, 0xdb), Buffer.from([0]))],
    ['stray bytes before the last scan', (jpeg) => inserted(jpeg, lastScan(jpeg), Buffer.from([0, 7, 0]))],
    ['fill bytes before a marker', (jpeg) => inserted(jpeg, segment(jpeg, 0xda), Buffer.alloc(3, 0xff))],
    ['no end marker', (jpeg) => jpeg.subarray(0, -2)],
    ['half an end marker', (jpeg) => jpeg.subarray(0, -1)],
    [
      'a stray byte and no end marker',
      (jpeg) => inserted(jpeg.subarray(0, -2), segment(jpeg, 0xdb), Buffer.from([0])),
    ],
    ['text after the end marker', (jpeg) => Buffer.concat([jpeg, Buffer.from('\r\n--boundary--')])],
    ['padding after the end marker', (jpeg) => Buffer.concat([jpeg, Buffer.alloc(3000)])],
  ])('a JPEG with %s', async (_, change) => {
    for (const options of [{}, { progressive: true }, { mozjpeg: true }]) {
      const jpeg = await large(digit).jpeg(options).toBuffer();
      expect(await readDigit(change(jpeg))).toEqual(await readDigit(jpeg));
    }
  });

  it.each<[string, (png: Buffer) => Buffer]>([
    ['text after its end', (png) => Buffer.concat([png, Buffer.from('text')])],
    ['padding after its end', (png) => Buffer.concat([png, Buffer.alloc(3000)])],
    ['a damaged comment', (png) => inserted(png, 33, damagedChunk('tEXt', Buffer.from('a\0b')))],
    ['a damaged colour profile', (png) => inserted(png, 33, damagedChunk('iCCP', Buffer.from('a\0\0b')))],
    ['a damaged gamma', (png) => inserted(png, 33, damagedChunk('gAMA', Buffer.from([0, 0, 1, 0])))],
    ['a damaged end', (png) => replaced(png, png.length - 1, 0)],
  ])('a PNG with %s', async (_, change) => {
    for (const picture of [grey(digit), large(digit)]) {
      const png = await picture.png().toBuffer();
      expect(await readDigit(change(png))).toEqual(await readDigit(png));
    }
  });
});

describe('a file that lacks something is refused', () => {
  it.each<[string, (jpeg: Buffer) => Buffer]>([
    ['an end marker after what is left', (jpeg) => Buffer.concat([jpeg, Buffer.from([0xff, 0xd9])])],
    ['a stray byte', (jpeg) => inserted(jpeg, segment(jpeg, 0xdb), Buffer.from([0]))],
  ])('a JPEG cut off in its scan, with %s: IMAGE_NOT_DECODABLE', async (_, change) => {
    for (const [progressive, share] of [false, true].flatMap((p) =>
      [0.6, 0.97].map((s) => [p, s] as const),
    )) {
      const jpeg = await large(digit).jpeg({ progressive }).toBuffer();
      const cut = change(jpeg.subarray(0, jpeg.length * share));
      expect(await readDigit(cut)).toMatchObject({ code: 'IMAGE_NOT_DECODABLE' });
    }
  });

  it.each([
    ['nothing', [0xff, 0xd8]],
    ['an end marker', [0xff, 0xd8, 0xff, 0xd9]],
    ['half a segment', [0xff, 0xd8, 0xff, 0xe0, 0]],
    ['fill bytes', [0xff, 0xd8, 0xff, 0xff, 0xff]],
  ])('a JPEG of a start marker and %s: IMAGE_NOT_DECODABLE', async (_, bytes) => {
    expect(await readDigit(Uint8Array.from(bytes))).toMatchObject({ code: 'IMAGE_NOT_DECODABLE' });
  });
});

function inserted(bytes: Buffer, at: number, extra: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, at), extra, bytes.subarray(at)]);
}

function replaced(bytes: Buffer, at: number, value: number): Buffer {
  const changed = Buffer.from(bytes);
  changed[at] = value;
  return changed;
}

/** Where the JPEG's first segment of this kind starts. */
function segment(jpeg: Buffer, marker: number): number {
  return jpeg.indexOf(Buffer.from([0xff, marker]));
}

function lastScan(jpeg: Buffer): number {
  return jpeg.lastIndexOf(Buffer.from([0xff, 0xda]));
}

function damagedChunk(type: string, data: Buffer): Buffer {
  const whole = chunk(type, data);
  return replaced(whole, whole.length - 1, whole.at(-1)! ^ 1);
}
