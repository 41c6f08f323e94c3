import sharp from 'sharp';
import { expect, it } from 'vitest';
import { imageAt, imageSide } from '../../../src/model/data/dataset.ts';
import { readDigit } from '../../../src/model/image/read-digit.ts';
import { startDecodePool } from '../../../src/model/serving/decode-pool.ts';
import { mnist } from '../data/mnist.ts';

const decode = startDecodePool();
const raw = (index: number) =>
  sharp(imageAt(mnist.test, index), { raw: { width: imageSide, height: imageSide, channels: 1 } });

it('decodes small pictures here and others in threads, all with the results of one by one', async () => {
  const pictures = await Promise.all(
    Array.from({ length: 12 }, (_, index) => [
      raw(index).png().toBuffer(),
      raw(index).resize(280, 280).png().toBuffer(),
      raw(index).resize(100, 100).jpeg().toBuffer(),
    ]).flat(),
  );
  const expected = [];
  for (const picture of pictures) expected.push(await readDigit(picture));
  expect(expected.every(({ ok }) => ok)).toBe(true);
  expect(await Promise.all(pictures.map(decode))).toEqual(expected);
});

it('refuses what is no picture, of any size', async () => {
  const header = Buffer.from('\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x10\0\0\0\x10\0', 'latin1'); // and no more
  const answers = await Promise.all([new Uint8Array(), Buffer.alloc(40), header].map(decode));
  expect(answers).toMatchObject([
    { ok: false, code: 'IMAGE_EMPTY' },
    { ok: false, code: 'IMAGE_TYPE_UNSUPPORTED' },
    { ok: false, code: 'IMAGE_NOT_DECODABLE' },
  ]);
});
