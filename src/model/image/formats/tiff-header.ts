/** How the first picture of a TIFF is laid out in its file. Source: TIFF 6.0 (Adobe, 1992), section 2 and 15. */

const tags = {
  width: 256,
  height: 257,
  bits: 258,
  samples: 277,
  rowsPerStrip: 278,
  tileWidth: 322,
  tileHeight: 323,
} as const;
const sizes = new Map([
  [1, 1], // type → bytes: BYTE
  [3, 2], // SHORT
  [4, 4], // LONG
]);

/**
 * Bytes of the largest part that is decoded in one piece, a strip or a row of tiles.
 *
 * @throws Error where the directory can't be followed
 */
export function largestTiffPart(bytes: Uint8Array): number {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = readDirectory(file);
  const width = values?.get(tags.width);
  const height = values?.get(tags.height);
  if (!values || !width || !height) throw new Error('its first directory is damaged');
  const pixelBytes = ((values.get(tags.bits) ?? 1) * (values.get(tags.samples) ?? 1)) / 8;
  const tileWidth = values.get(tags.tileWidth);
  const tileHeight = values.get(tags.tileHeight);
  if (tileWidth && tileHeight) return Math.ceil(width / tileWidth) * tileWidth * tileHeight * pixelBytes;
  return Math.min(height, values.get(tags.rowsPerStrip) ?? height) * width * pixelBytes;
}

/** The first value of each entry in the first directory; null where the file ends before it. */
function readDirectory(file: Buffer): Map<number, number> | null {
  const isLittle = file[0] === 0x49;
  const read = (at: number, size: number) =>
    isLittle ? file.readUIntLE(at, size) : file.readUIntBE(at, size);
  if (file.length < 8) return null;
  const start = read(4, 4);
  if (start + 2 > file.length) return null;
  const count = read(start, 2);
  if (start + 2 + 12 * count > file.length) return null;
  const values = new Map<number, number>();
  for (let at = start + 2; at < start + 2 + 12 * count; at += 12) {
    const size = sizes.get(read(at + 2, 2));
    if (size === undefined) continue;
    const isInline = size * read(at + 4, 4) <= 4;
    const from = isInline ? at + 8 : read(at + 8, 4);
    if (from + size <= file.length) values.set(read(at, 2), read(from, size));
  }
  return values;
}
