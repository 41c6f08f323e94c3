import sharp from 'sharp';
import { toGreys } from './image/greys.ts';
import { normalise } from './image/normalise.ts';

sharp.cache(false);
export async function readDigit(bytes: Uint8Array) {
  const { data, info } = await sharp(bytes, { sequentialRead: true, limitInputPixels: 4e6 })
    .autoOrient()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const p = normalise(
    toGreys({ values: data, width: info.width, height: info.height, channels: info.channels }),
  );
  return p ? { ok: true as const, pixels: p } : { ok: false as const };
}
