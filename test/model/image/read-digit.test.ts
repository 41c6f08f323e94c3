import sharp, { type Sharp } from 'sharp';
import { describe, expect, it } from 'vitest';
import { readSplit } from '../../../src/model/data/built-in.ts';
import { imageAt, imageSize } from '../../../src/model/data/dataset.ts';
import { pictureTypes } from '../../../src/model/image/formats/signatures.ts';
import { type ImageProblem, readDigit } from '../../../src/model/image/read-digit.ts';
import { isLong } from '../../long.ts';
import { grey, large, raw, whitePng } from './picture-files.ts';
import { cropped, difference, digitPicture, enlarged, mean, placed } from './pictures.ts';

const test = await readSplit('mnist', 'test');
const digit = imageAt(test, 0);
const someDigits = Array.from({ length: isLong ? 100 : 50 }, (_, i) =>
  imageAt(test, i * (isLong ? 100 : 200)),
);

describe('a 28×28 MNIST digit comes back byte for byte', () => {
  const many = isLong ? 400 : 100;

  it(`as a grey PNG, for ${many} of them`, async () => {
    for (let i = 0; i < many; i++) {
      const bytes = await grey(imageAt(test, i * 25))
        .png()
        .toBuffer();
      expect(await readDigit(bytes)).toEqual({
        ok: true,
        pixels: new Uint8Array(imageAt(test, i * 25)),
        warnings: [],
      });
    }
  });

  it.each<[string, () => Sharp]>([
    [
      'RGB',
      () =>
        raw(
          spread(digit, 3, (value) => value),
          3,
        ).png(),
    ],
    ['RGBA, opaque', () => raw(opaque(digit, 4), 4).png()],
    ['grey with alpha, opaque', () => raw(opaque(digit, 2), 2).toColourspace('b-w').png()],
    [
      'palette',
      () =>
        raw(
          spread(digit, 3, (value) => value),
          3,
        ).png({ palette: true, dither: 0 }),
    ],
    [
      '16 bits of grey',
      () =>
        raw(
          Uint16Array.from(digit, (v) => v * 257),
          1,
        )
          .toColourspace('grey16')
          .png(),
    ],
    ['interlaced', () => grey(digit).png({ progressive: true })],
    ['inverted', () => grey(digit.map((value) => 255 - value)).png()],
    [
      'black ink, as transparency',
      () =>
        raw(
          spread(digit, 4, (v, c) => (c === 3 ? v : 0)),
          4,
        ).png(),
    ],
    [
      'white ink, as transparency',
      () =>
        raw(
          spread(digit, 4, (v, c) => (c === 3 ? v : 255)),
          4,
        ).png(),
    ],
  ])('as a PNG: %s', async (_, picture) => {
    expect(await readDigit(await picture().toBuffer())).toEqual({
      ok: true,
      pixels: new Uint8Array(digit),
      warnings: [],
    });
  });

  it('as a view into a larger buffer', async () => {
    const bytes = await grey(digit).png().toBuffer();
    const larger = Buffer.concat([Buffer.from('before'), bytes, Buffer.from('after')]);
    const view = new Uint8Array(larger.buffer, larger.byteOffset + 6, bytes.length);
    expect(await readDigit(view)).toMatchObject({ ok: true, pixels: new Uint8Array(digit) });
  });
});

describe('a picture of an MNIST digit', () => {
  it.each<[string, number, (pixels: Uint8Array, i: number) => Sharp]>([
    // mean absolute difference in levels; measured 7.8, 2.6, 0.5, 7.8, 4.9
    ['bicubic 280×280 PNG', 9, (pixels) => large(pixels).png()],
    ['JPEG of 28×28', 3.5, (pixels) => grey(pixels).jpeg({ quality: 80 })],
    ['JPEG, enlarged ten times', 1, (pixels) => tenfold(pixels).jpeg({ quality: 80 })],
    ['JPEG, bicubic 280×280', 9, (pixels) => large(pixels).jpeg({ quality: 80 })],
    [
      'JPEG, inverted and off-centre',
      6.5,
      (pixels, i) => offCentre(pixels, i).negate().jpeg({ quality: 80 }),
    ],
  ])('%s: is that digit to within %f levels', async (_, bound, picture) => {
    const differences = await Promise.all(
      someDigits.map(async (pixels, i) => {
        const result = await readDigit(await picture(pixels, i).toBuffer());
        return difference(result.ok ? result.pixels : null, pixels);
      }),
    );
    expect(mean(differences)).toBeLessThan(bound);
  });

  it('may be a CMYK JPEG', async () => {
    const bytes = await large(digit).toColourspace('cmyk').jpeg().toBuffer();
    const result = await readDigit(bytes);
    expect(difference(result.ok ? result.pixels : null, digit)).toBeLessThan(10);
  });

  it('is turned upright when a camera says how it was held', async () => {
    const upright = await large(digit).jpeg().toBuffer();
    const held = await sharp(await sharp(upright).rotate(-90).toBuffer())
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toBuffer();
    const expected = (await readDigit(upright)) as { pixels: Uint8Array };
    const result = (await readDigit(held)) as { pixels: Uint8Array };
    expect(difference(result.pixels, expected.pixels)).toBeLessThan(3);
  });

  it('may have 4 megapixels, and is shrunk', async () => {
    const picture = grey(digit).resize(2000, 2000, { kernel: 'nearest' });
    const result = await readDigit(await picture.png().toBuffer());
    expect(result).toMatchObject({ ok: true });
  });
});

describe('a problem with the bytes', () => {
  it('no bytes: IMAGE_EMPTY', async () => {
    expect(await problemOf(new Uint8Array())).toMatchObject({ code: 'IMAGE_EMPTY' });
  });

  it.each<[string, Buffer]>([
    ['an SVG', Buffer.from('<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>')],
    ['an SVG', Buffer.from('<svg width="28" height="28"><rect width="9" height="9"/></svg>')],
    ['a BigTIFF', Buffer.from('II+\0\x08\0\0\0', 'latin1')],
    ['a JPEG XL', Buffer.from('\xff\x0a\xfa\x1f', 'latin1')],
    ['a video', Buffer.from('\0\0\0\x14ftypqt  \0\0\0\0qt  ', 'latin1')],
    ['a BMP', Buffer.from('BM\x36\x10\0\0\0\0\0\0\x36\0\0\0', 'latin1')],
    ['a PDF', Buffer.from('%PDF-1.7\n%âãÏÓ')],
    ['text', Buffer.from('{"image": "iVBORw0KGgo"}\n')],
    ['text', Buffer.from('BM is how a bitmap starts')],
    ['bytes of an unknown type', Buffer.from([0, 1, 2, 3])],
  ])('%s: IMAGE_TYPE_UNSUPPORTED, named', async (name, bytes) => {
    const { code, message } = await problemOf(bytes);
    expect(code).toBe('IMAGE_TYPE_UNSUPPORTED');
    expect(message).toContain(`expected a ${pictureTypes} image, got ${name};`);
  });

  it.each([
    ['PNG', 0.5],
    ['PNG', 0.95],
    ['JPEG', 0.5],
    ['JPEG', 0.95],
  ] as const)('a %s cut off after %f of it: IMAGE_NOT_DECODABLE', async (format, share) => {
    const bytes = await large(digit)
      .toFormat(format === 'PNG' ? 'png' : 'jpeg')
      .toBuffer();
    const { code, message } = await problemOf(bytes.subarray(0, bytes.length * share));
    expect(code).toBe('IMAGE_NOT_DECODABLE');
    expect(message).toContain(`expected a whole ${format}, got a damaged one`);
  });

  it.each<[string, (png: Buffer) => void]>([
    ['a flipped byte', (png) => png.writeUInt8(png.readUInt8(png.length - 30) ^ 0xff, png.length - 30)],
    ['no width', (png) => png.writeUInt32BE(0, 16)],
    ['a header that says more than follows', (png) => png.writeUInt32BE(1000, 20)],
  ])('a PNG with %s: IMAGE_NOT_DECODABLE', async (_, damage) => {
    const png = await grey(digit).png().toBuffer();
    damage(png);
    expect(await problemOf(png)).toMatchObject({ code: 'IMAGE_NOT_DECODABLE' });
  });

  it.each([
    ['png', 65_536, 1],
    ['png', 1, 70_000],
  ] as const)('a %s of %d×%d: IMAGE_TOO_LARGE', async (format, width, height) => {
    const picture = sharp({ create: { width, height, channels: 3, background: 'white' } });
    const bytes = await picture.toFormat(format, { compressionLevel: 1 }).toBuffer();
    const { code, message } = await problemOf(bytes);
    expect(code).toBe('IMAGE_TOO_LARGE');
    expect(message).toContain(`expected at most 67108864 pixels and sides of 65535, got ${width}×${height};`);
  });

  it('a PNG of a row more than may be: IMAGE_TOO_LARGE', async () => {
    const { code, message } = await problemOf(whitePng(8192, 8193));
    expect(code).toBe('IMAGE_TOO_LARGE');
    expect(message).toContain('expected at most 67108864 pixels and sides of 65535, got 8192×8193;');
  });

  it('a whole PNG, as the larger ones here are made: a digit is not in it, but it is read', async () => {
    expect(await problemOf(whitePng(512))).toMatchObject({ code: 'IMAGE_NO_INK' });
  });

  it('a PNG of 16384×16384: IMAGE_TOO_LARGE, decided without decoding it', async () => {
    const png = whitePng(16_384);
    const before = process.memoryUsage().rss;
    expect(await problemOf(png)).toMatchObject({ code: 'IMAGE_TOO_LARGE' });
    expect(process.memoryUsage().rss - before).toBeLessThan(20e6); // decoded, it takes 805 MB
  });

  it.each(['white', 'black', '#c0c0c0', 'transparent'])(
    'a blank page, %s: IMAGE_NO_INK',
    async (background) => {
      const page = sharp({ create: { width: 90, height: 120, channels: 4, background } });
      const { code, message } = await problemOf(await page.png().toBuffer());
      expect(code).toBe('IMAGE_NO_INK');
      expect(message).toContain('90×120');
    },
  );

  it('a blank JPEG: IMAGE_NO_INK', async () => {
    const page = sharp({ create: { width: 90, height: 120, channels: 3, background: '#f3e9d2' } });
    expect(await problemOf(await page.jpeg({ quality: 40 }).toBuffer())).toMatchObject({
      code: 'IMAGE_NO_INK',
    });
  });
});

it('no other loader of libvips can be reached', async () => {
  const others = [
    '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>',
    'P6 1 1 255\n\0\0\0',
    '%PDF-1.7',
  ];
  for (const other of others)
    await expect(sharp(Buffer.from(other)).raw().toBuffer()).rejects.toThrow(/unsupported|blocked/i);
});

async function problemOf(bytes: Uint8Array): Promise<ImageProblem> {
  const result = await readDigit(bytes);
  if (result.ok) throw new Error('expected a problem, got a digit');
  return result;
}

function tenfold(pixels: Uint8Array): Sharp {
  return grey(pixels).resize(280, 280, { kernel: 'nearest' });
}

/** 60 to 200 pixels high somewhere on 280×280. */
function offCentre(pixels: Uint8Array, i: number): Sharp {
  const { values, width, height } = placedOnCanvas(pixels, 3 + (i % 8));
  const canvas = sharp(values, { raw: { width, height, channels: 1 } });
  return canvas.toColourspace('b-w').blur(1);
}

function placedOnCanvas(pixels: Uint8Array, factor: number) {
  const picture = enlarged(cropped(digitPicture(pixels)), factor);
  return placed(
    picture,
    280,
    280,
    (37 * factor) % (278 - picture.width),
    (53 * factor) % (278 - picture.height),
  );
}

function opaque(pixels: Uint8Array, channels: 2 | 4): Uint8Array {
  return spread(pixels, channels, (value, channel) => (channel === channels - 1 ? 255 : value));
}

/** Interleaved samples of one digit. */
function spread(
  pixels: Uint8Array,
  channels: number,
  sample: (value: number, channel: number) => number,
): Uint8Array {
  return Uint8Array.from({ length: imageSize * channels }, (_, i) =>
    sample(pixels[Math.floor(i / channels)]!, i % channels),
  );
}
