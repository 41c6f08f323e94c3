/** Pictures of what is no digit, none of which training has seen: another data set, letters of fonts, noise, scribbles. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import sharp from 'sharp';
import { randomFor } from '../../src/lib/random.ts';
import { imageSide, imageSize } from '../../src/model/data/dataset.ts';
import { between, drawLine, integer, sheet, toBytes } from './canvas.ts';

/** `missing`: why there are none on this machine. */
export type Outliers = { readonly name: string; readonly pictures: Buffer[]; readonly missing?: string };

const fashionFile = '/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz';
const idxHeader = 16; // bytes
/** Without those that some hand writes as another one does a digit: O o D I l i S s Z z B g q b J. */
const letters = 'ACEFGHKLMNPQRTUVWXYacdefhjkmnprtuvwxy';
const families = ['Liberation Sans', 'Liberation Serif', 'Liberation Mono', 'Comic Neue', 'Humor Sans'];

export async function allOutliers(count: number, seed: number): Promise<Outliers[]> {
  return [
    await fashion(count),
    await fontLetters(),
    { name: 'noise', pictures: await made(count, seed, noise) },
    { name: 'scribbles', pictures: await made(count, seed, scribble) },
  ];
}

/** Fashion-MNIST's test images (Xiao, Rasul and Vollgraf, 2017), from Debian's package. */
async function fashion(count: number): Promise<Outliers> {
  const file = await readFile(fashionFile).catch(() => null);
  if (!file) return { name: 'Fashion-MNIST', pictures: [], missing: 'apt-get install dataset-fashion-mnist' };
  const images = gunzipSync(file).subarray(idxHeader);
  const pictures = Array.from({ length: count }, (_, i) =>
    toPng(images.subarray(i * imageSize, (i + 1) * imageSize), imageSide, imageSide),
  );
  return { name: 'Fashion-MNIST', pictures: await Promise.all(pictures) };
}

async function fontLetters(): Promise<Outliers> {
  sharp.unblock({ operation: ['VipsForeignLoadSvg'] }); // the program reads none; here it draws the letters
  const { stdout } = await promisify(execFile)('fc-list', [':', 'family']).catch(() => ({ stdout: '' }));
  const installed = families.filter((family) => stdout.includes(family));
  if (installed.length === 0)
    return { name: 'letters', pictures: [], missing: 'apt-get install fonts-liberation fonts-comic-neue' };
  const pictures = installed.flatMap((family) =>
    ['normal', 'bold'].flatMap((weight) =>
      letters.split('').map((letter) => drawLetter(letter, family, weight)),
    ),
  );
  return { name: 'letters', pictures: await Promise.all(pictures) };
}

function drawLetter(letter: string, family: string, weight: string): Promise<Buffer> {
  const text = `<text x="60" y="80" text-anchor="middle" font-family="${family}" font-weight="${weight}" font-size="64">${letter}</text>`;
  const paper = '<rect width="120" height="120" fill="white"/>';
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="120" height="120">${paper}${text}</svg>`;
  return sharp(Buffer.from(svg)).png().toBuffer();
}

type Draw = (random: ReturnType<typeof randomFor>) => { greys: Uint8Array; side: number };

async function made(count: number, seed: number, draw: Draw): Promise<Buffer[]> {
  const pictures = Array.from({ length: count }, (_, i) => {
    const { greys, side } = draw(randomFor(seed, `${draw.name} ${i}`));
    return toPng(greys, side, side);
  });
  return Promise.all(pictures);
}

/** Grains of one size, of any tone, all over or in a part. */
const noise: Draw = (random) => {
  const side = integer(random, 28, 200);
  const grain = integer(random, 1, 8);
  const across = Math.ceil(side / grain);
  const tones = Array.from({ length: across * across }, () => integer(random, 0, 255));
  const greys = Uint8Array.from({ length: side * side }, (_, i) => {
    const [x, y] = [i % side, Math.floor(i / side)];
    return tones[Math.floor(y / grain) * across + Math.floor(x / grain)]!;
  });
  return { greys, side };
};

/** A pen that goes back and forth and round and round, over and over. */
const scribble: Draw = (random) => {
  const side = 200;
  const paper = sheet(side, side, 255);
  const thick = between(random, 3, 9);
  let [x, y] = [between(random, 50, 150), between(random, 50, 150)];
  let heading = between(random, 0, 6.28);
  for (let step = integer(random, 40, 120); step > 0; step--) {
    heading += between(random, -1.1, 1.1);
    const length = between(random, 5, 40);
    const [toX, toY] = [x + length * Math.cos(heading), y + length * Math.sin(heading)];
    if (toX < 20 || toY < 20 || toX > 180 || toY > 180) heading += 2;
    else {
      drawLine(paper, [x, y], [toX, toY], thick, 20);
      [x, y] = [toX, toY];
    }
  }
  return { greys: toBytes(paper), side };
};

function toPng(greys: Uint8Array, width: number, height: number): Promise<Buffer> {
  return sharp(greys, { raw: { width, height, channels: 1 } })
    .toColourspace('b-w')
    .png()
    .toBuffer();
}
