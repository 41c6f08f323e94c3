/** Every format that is read, in the forms that phones, scanners and programs write. */
import sharp, { type OutputInfo, type Sharp } from 'sharp';
import { describe, expect, it } from 'vitest';
import { readDigit } from '../../../../src/model/image/read-digit.ts';
import { isLong } from '../../../long.ts';
import { difference } from '../pictures.ts';
import { digit, drawn, files, twoFrames } from './pictures-of-formats.ts';

const reference = await readDigit(await drawn().png().toBuffer());
const expected = reference.ok ? reference.pixels : new Uint8Array(784);

it.each(files)('%s is read to within %f levels', async (_name, levels, make) => {
  const read = await readDigit(await (await make()).toBuffer());
  expect(difference(read.ok ? read.pixels : null, expected)).toBeLessThan(levels);
});

/** A file of these that is cut off lacks pixels of its first frame. */
const whole = files.filter(([name]) => !/CMYK JPEG|animated|several pages/.test(name));

it.each(whole)('%s that is cut off is refused', async (_name, _levels, make) => {
  const bytes = await (await make()).toBuffer();
  for (const share of [0.3, 0.5, 0.9]) {
    const read = await readDigit(bytes.subarray(0, bytes.length * share));
    expect(read, `${share} of it`).toMatchObject({ ok: false, code: 'IMAGE_NOT_DECODABLE' });
  }
});

it('reads the first frame though a later one is cut off', async () => {
  const bytes = await (await twoFrames()).gif().toBuffer();
  expect(await readDigit(bytes.subarray(0, -20))).toMatchObject({ ok: true });
});

type Raw = { readonly data: Buffer; readonly info: OutputInfo };

/** EXIF's value → what the camera's rotation did to a picture of 2.3 megapixels. */
async function heldPictures(): Promise<Record<number, Raw>> {
  const upright = await drawn(1440, 1600).toColourspace('srgb').raw().toBuffer({ resolveWithObject: true });
  const taken = () => sharp(upright.data, { raw: upright.info });
  const turned = (picture: Sharp) => picture.raw().toBuffer({ resolveWithObject: true });
  return {
    1: upright,
    2: await turned(taken().flop()),
    3: await turned(taken().rotate(180)),
    4: await turned(taken().flip()),
    6: await turned(taken().rotate(270)),
    8: await turned(taken().rotate(90)),
  };
}
let held: ReturnType<typeof heldPictures> | null = null; // made once for all formats

describe('a picture larger than the working size is shrunk, and read as it is', () => {
  it.each(['jpeg', 'png', 'webp', 'gif', 'tiff', 'avif'] as const)(
    `a %s of ${isLong ? 6 : 2.25} megapixels`,
    async (format) => {
      const options = { avif: { effort: 0 }, gif: { effort: 1 }, tiff: { compression: 'lzw' } } as const;
      const picture = drawn(...(isLong ? ([2400, 2500] as const) : ([1500, 1500] as const))).toColourspace(
        'srgb',
      );
      const bytes = await picture.toFormat(format, options[format as keyof typeof options]).toBuffer();
      const read = await readDigit(bytes);
      expect(difference(read.ok ? read.pixels : null, digit)).toBeLessThan(10);
    },
    30_000,
  );

  it.each(['jpeg', 'png', 'webp', 'tiff'] as const)(
    'a %s of more than 2 megapixels is turned upright, however it was held',
    async (format) => {
      const read = await readDigit(await drawn(1440, 1600).toFormat(format).toBuffer());
      held ??= heldPictures();
      const upright = read.ok ? read.pixels : new Uint8Array();
      for (const [orientation, { data, info: raw }] of Object.entries(await held)) {
        const picture = sharp(data, { raw }).withMetadata({ orientation: Number(orientation) });
        const bytes = await picture.toFormat(format, format === 'webp' ? { effort: 0 } : {}).toBuffer();
        const turned = await readDigit(bytes);
        expect(difference(turned.ok ? turned.pixels : null, upright), orientation).toBeLessThan(4);
      }
    },
    60_000,
  );

  it('a photo in CMYK, or with a profile, is converted', async () => {
    const photo = () => drawn(1500, 1500);
    const bytes = [
      await photo().toColourspace('cmyk').jpeg().toBuffer(),
      await photo().toColourspace('srgb').withIccProfile('p3').jpeg().toBuffer(),
    ];
    for (const picture of bytes) {
      const read = await readDigit(picture);
      expect(difference(read.ok ? read.pixels : null, digit)).toBeLessThan(10);
    }
  });
});

it('samples that are no whole numbers are refused', async () => {
  const bytes = await drawn().toColourspace('scrgb').tiff({ compression: 'lzw' }).toBuffer();
  const read = await readDigit(bytes);
  expect(read).toMatchObject({ ok: false, code: 'IMAGE_TYPE_UNSUPPORTED' });
});
