/** Greys to a PNG. */
import sharp from 'sharp';

/** `greys`: [height × width], row-major, 0 black … 255 white. */
export function encodePng(greys: Uint8Array, width: number, height: number): Promise<Buffer> {
  return sharp(greys, { raw: { width, height, channels: 1 } })
    .toColourspace('b-w')
    .png()
    .toBuffer();
}
