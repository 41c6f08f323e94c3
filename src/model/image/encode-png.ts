/** Greys to a PNG. */

/** `greys`: [height × width], row-major, 0 black … 255 white. */
export async function encodePng(greys: Uint8Array, width: number, height: number): Promise<Buffer> {
  const { default: sharp } = await import('sharp'); // a fifth of a server's start, which few requests need
  return sharp(greys, { raw: { width, height, channels: 1 } })
    .toColourspace('b-w')
    .png()
    .toBuffer();
}
