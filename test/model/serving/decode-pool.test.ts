import sharp from 'sharp';
import { expect, it } from 'vitest';
import { readDigit } from '../../../src/model/image/read-digit.ts';
import { startDecodePool } from '../../../src/model/serving/decode-pool.ts';
import { raw } from '../image/picture-files.ts';
import { testDigit } from '../image/pictures.ts';

const decode = startDecodePool();
const digit = (index: number) => raw(testDigit(index), 1);

it('decodes small pictures here and others in threads, all with the results of one by one', async () => {
  const pictures = await Promise.all(
    Array.from({ length: 12 }, (_, index) => [
      digit(index).png().toBuffer(),
      digit(index).resize(280, 280).png().toBuffer(),
      digit(index).resize(100, 100).jpeg().toBuffer(),
    ]).flat(),
  );
  const expected = [];
  for (const picture of pictures) expected.push(await readDigit(picture));
  expect(expected.every(({ ok }) => ok)).toBe(true);
  expect(await Promise.all(pictures.map((picture) => decode(picture)))).toEqual(expected);
});

it('keeps no picture in the cache of libvips, which loading sharp in a thread turns on', async () => {
  await Promise.all(
    Array.from({ length: 8 }, async () => decode(await digit(0).resize(100, 100).jpeg().toBuffer())),
  );
  expect(sharp.cache()).toMatchObject({ memory: { max: 0 }, items: { max: 0 } });
});

it('refuses what is no picture, of any size', async () => {
  const header = Buffer.from('\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x10\0\0\0\x10\0', 'latin1'); // and no more
  const answers = await Promise.all(
    [new Uint8Array(), Buffer.alloc(40), header].map((bytes) => decode(bytes)),
  );
  expect(answers).toMatchObject([
    { ok: false, code: 'IMAGE_EMPTY' },
    { ok: false, code: 'IMAGE_TYPE_UNSUPPORTED' },
    { ok: false, code: 'IMAGE_NOT_DECODABLE' },
  ]);
});

it('tells of large pictures before it decodes them, and of no others', async () => {
  const photo = (width: number, height: number) =>
    sharp({ create: { width, height, channels: 3, background: 'white' } });
  const told: string[] = [];
  const pictures = {
    small: await digit(0).png().toBuffer(),
    'a 12-megapixel JPEG': await photo(4000, 3000).jpeg().toBuffer(),
    'an interlaced PNG': await photo(3000, 2500).png({ progressive: true }).toBuffer(),
    'an AVIF': await photo(1200, 1000).avif({ effort: 0 }).toBuffer(),
    'a small AVIF': await photo(300, 300).avif({ effort: 0 }).toBuffer(),
    'too large an AVIF': await photo(4000, 3000).avif({ effort: 0 }).toBuffer(),
  };
  const codes = [];
  for (const [name, bytes] of Object.entries(pictures)) {
    const read = await decode(bytes, { onLarge: () => told.push(name) });
    codes.push(read!.ok ? 'read' : read!.code);
  }
  expect(told).toEqual(['a 12-megapixel JPEG', 'an interlaced PNG', 'an AVIF']);
  expect(codes).toEqual(['read', ...Array<string>(4).fill('IMAGE_NO_INK'), 'IMAGE_TOO_LARGE']);
});
