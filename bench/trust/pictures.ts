/** Real MNIST test digits on made paper, by kind; the same pictures for the same seed. */
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import sharp from 'sharp';
import { randomFor } from '../../src/lib/random.ts';
import { imageAt, type Split } from '../../src/model/data/dataset.ts';
import { chance, integer, toBytes } from './canvas.ts';
import { crease, moire, saltAndPepper, specks } from './disturbed.ts';
import { boxed, comb, ruled, squared, underlined } from './forms.ts';
import type { Digit, Kind, Made } from './kinds.ts';
import { colour, dark, gradient, shadow } from './light.ts';
import { clean, marker, pencil } from './plain.ts';
import { line, twoApart, twoSmall, twoStacked, twoTouching } from './several.ts';

export const kinds: Readonly<Record<string, Kind>> = {
  clean,
  ruled,
  squared,
  boxed,
  comb,
  underlined,
  shadow,
  gradient,
  dark,
  pencil,
  marker,
  moire,
  'salt-and-pepper': saltAndPepper,
  crease,
  specks,
  colour,
  'two-apart': twoApart,
  'two-touching': twoTouching,
  'two-small': twoSmall,
  'two-stacked': twoStacked,
  line,
};

/** The kinds that have several digits in a picture. */
export const severalKinds: readonly string[] = [
  'two-apart',
  'two-touching',
  'two-small',
  'two-stacked',
  'line',
];

/** Nothing is tuned on these: they say how well the rest carries over. */
export const heldBack: readonly string[] = ['dark', 'moire'];

export type Picture = { readonly bytes: Buffer; readonly labels: readonly number[] };

/** The picture of a kind with this number, as a PNG or a JPEG. */
export async function picture(test: Split, kind: string, number: number, seed: number): Promise<Picture> {
  const random = randomFor(seed, `${kind} ${number}`);
  const next = (): Digit => {
    const i = uniformInt(random, 0, test.count - 1);
    return { pixels: new Uint8Array(imageAt(test, i)), label: test.labels[i]! };
  };
  const made = kinds[kind]!(random, next);
  const image = sharp(samplesOf(made), {
    raw: { width: made.sheet.width, height: made.sheet.height, channels: made.colours ? 3 : 1 },
  });
  const isJpeg = kind !== 'clean' && chance(random, 0.5);
  const grey = made.colours ? image : image.toColourspace('b-w');
  const bytes = await (isJpeg ? grey.jpeg({ quality: integer(random, 70, 95) }) : grey.png()).toBuffer();
  return { bytes, labels: made.labels };
}

function samplesOf({ sheet, colours }: Made): Uint8Array {
  const greys = toBytes(sheet);
  if (!colours) return greys;
  const samples = new Uint8Array(3 * greys.length);
  for (const [i, light] of greys.entries())
    for (let c = 0; c < 3; c++)
      samples[3 * i + c] = Math.round((colours.paper[c]! * light + colours.ink[c]! * (255 - light)) / 255);
  return samples;
}
