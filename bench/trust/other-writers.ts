/** 1,797 digits of other writers, 8×8 (UCI, "Optical Recognition of Handwritten Digits"), from Debian's python3-sklearn. */
import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import sharp from 'sharp';

const file = '/usr/lib/python3/dist-packages/sklearn/datasets/data/digits.csv.gz';
const side = 8; // pixels
const enlarged = 112;
const margin = 28;

export type Labelled = { readonly bytes: Buffer; readonly label: number };

/** Enlarged smoothly, with a margin; null where the file is not here. */
export async function otherWriters(): Promise<Labelled[] | null> {
  const bytes = await readFile(file).catch(() => null);
  if (!bytes) return null;
  const rows = gunzipSync(bytes).toString().trim().split('\n');
  return Promise.all(
    rows.map(async (row) => {
      const values = row.split(',').map(Number); // 64 of 0 … 16, then the label
      const greys = Uint8Array.from(values.slice(0, side * side), (value) => Math.min(255, 16 * value));
      const digit = sharp(greys, { raw: { width: side, height: side, channels: 1 } });
      const space = { top: margin, bottom: margin, left: margin, right: margin, background: 'black' };
      const large = await digit
        .resize(enlarged, enlarged, { kernel: 'cubic' })
        .toColourspace('b-w')
        .png()
        .toBuffer();
      return { bytes: await sharp(large).extend(space).png().toBuffer(), label: values.at(-1)! };
    }),
  );
}
