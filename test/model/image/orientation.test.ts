import * as fc from 'fast-check';
import sharp from 'sharp';
import { expect, it } from 'vitest';
import { turnUpright } from '../../../src/model/image/orientation.ts';
import { runs } from '../../long.ts';

it('turns as sharp does, whatever the size, the channels and the orientation', async () => {
  const size = fc.integer({ min: 1, max: 9 });
  const channels = fc.constantFrom<1 | 3 | 4>(1, 3, 4);
  await fc.assert(
    fc.asyncProperty(
      size,
      size,
      channels,
      fc.integer({ min: 1, max: 8 }),
      fc.nat(),
      async (width, height, depth, orientation, seed) => {
        const values = Uint8Array.from({ length: width * height * depth }, (_, i) => (seed + 31 * i) % 256);
        const stored = { values, width, height, channels: depth };
        const raw = { width, height, channels: depth };
        const file = await sharp(values, { raw })
          .toColourspace(depth === 1 ? 'b-w' : 'srgb')
          .withMetadata({ orientation })
          .tiff({ compression: 'none' })
          .toBuffer();
        const upright = sharp(file)
          .autoOrient()
          .toColourspace(depth === 1 ? 'b-w' : 'srgb');
        const { data, info } = await upright.raw().toBuffer({ resolveWithObject: true });
        expect(turnUpright(stored, orientation)).toEqual({
          values: new Uint8Array(data),
          width: info.width,
          height: info.height,
          channels: info.channels,
        });
      },
    ),
    { numRuns: runs(200) },
  );
});

it.each([0, 1, 9])('orientation %i is upright', (orientation) => {
  const stored = { values: Uint8Array.of(1, 2), width: 2, height: 1, channels: 1 };
  expect(turnUpright(stored, orientation)).toBe(stored);
});
