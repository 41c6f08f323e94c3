import { describe, expect, it } from 'vitest';
import { typeOf } from '../../../../src/model/image/formats/signatures.ts';
import { readDigit } from '../../../../src/model/image/read-digit.ts';

/** A file type box with a minor version of 0. */
const ftyp = (major: string, ...compatible: string[]) => {
  const size = Buffer.alloc(4);
  size.writeUInt32BE(16 + 4 * compatible.length);
  return Buffer.concat([size, Buffer.from(`ftyp${major}\0\0\0\0${compatible.join('')}`, 'latin1')]);
};

describe('files of boxes', () => {
  it.each([
    [ftyp('avif'), 'AVIF'],
    [ftyp('avis', 'avif', 'msf1'), 'AVIF'],
    [ftyp('mif1', 'miaf', 'avif'), 'AVIF'],
  ])('%s is an AVIF', (bytes, format) => {
    expect(typeOf(bytes)).toEqual({ format });
  });

  it.each([
    ftyp('heic', 'mif1', 'heic'),
    ftyp('heix'),
    ftyp('mif1', 'heic'),
    ftyp('hevc', 'msf1'),
    ftyp('msf1'),
  ])('%s is a HEIC, and says what to do on the phone', async (bytes) => {
    expect(await readDigit(bytes)).toMatchObject({
      code: 'IMAGE_TYPE_UNSUPPORTED',
      message: expect.stringMatching(/got a HEIC; .*Settings › Camera › Formats › Most Compatible/),
    });
  });

  it("brands after the box don't count", () => {
    const bytes = Buffer.concat([ftyp('isom'), Buffer.from('avifheic')]);
    expect(typeOf(bytes)).toMatchObject({ format: null, name: 'a video' });
  });

  it('a box that is cut off has the brands that are there', () => {
    expect(typeOf(ftyp('avif', 'mif1').subarray(0, 12))).toEqual({ format: 'AVIF' });
    expect(typeOf(Buffer.from('\0\0\0\0ftyp'))).toMatchObject({ format: null });
  });
});

it.each([
  ['\x89PNG\r\n\x1a\n', 'PNG'],
  ['\xff\xd8\xff', 'JPEG'],
  ['RIFF\0\0\0\0WEBP', 'WebP'],
  ['GIF89a', 'GIF'],
  ['II*\0', 'TIFF'],
  ['MM\0*', 'TIFF'],
])('%j is the beginning of a %s', (head, format) => {
  expect(typeOf(Buffer.from(head, 'latin1'))).toEqual({ format });
});
