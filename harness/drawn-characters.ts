/** Labelled pictures that anybody can draw again: characters of installed fonts, each turned, scaled and placed anew. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { between, oneOf, type Random, randomFor } from '../src/lib/random.ts';

export type DrawnPicture = { readonly path: string; readonly label: string; readonly png: Buffer };

const side = 160; // pixels
const fontsToTrain = ['Liberation Sans', 'Liberation Serif', 'Liberation Mono', 'DejaVu Sans', 'Comic Neue'];
const fontsToTest = ['DejaVu Serif', 'DejaVu Sans Mono', 'Liberation Sans Narrow'];

export type DrawnOptions = {
  readonly labels: readonly string[];
  readonly perLabel: number; // pictures of each label, both parts together
  readonly testShare: number;
  readonly seed: number;
};

/** Pictures by the path in an archive, `train/LABEL/N.png` and `test/LABEL/N.png`; no font is in both parts. */
export async function drawCharacters(options: DrawnOptions): Promise<DrawnPicture[]> {
  sharp.unblock({ operation: ['VipsForeignLoadSvg'] }); // the program reads none; here it draws
  const { train, test } = await installedFonts();
  const { labels, perLabel, testShare, seed } = options;
  const random = randomFor(seed, 'drawn characters');
  const tests = Math.round(perLabel * testShare);
  const pictures: DrawnPicture[] = [];
  for (const label of labels) {
    for (let i = 0; i < perLabel; i++) {
      const [part, fonts] = i < tests ? ['test', test] : ['train', train];
      const svg = drawn(label, oneOf(random, fonts), random);
      const path = `${part}/${label}/${i}.png`;
      // One after the other: the library that draws text is not safe in several threads.
      pictures.push({ path, label, png: await sharp(Buffer.from(svg)).png().toBuffer() });
    }
  }
  return pictures;
}

/** @throws where a part would have no font */
async function installedFonts(): Promise<{ train: string[]; test: string[] }> {
  const { stdout } = await promisify(execFile)('fc-list', [':', 'family']).catch(() => ({ stdout: '' }));
  const isHere = (font: string) => stdout.split('\n').some((line) => line.split(',')[0] === font);
  const [train, test] = [fontsToTrain.filter(isHere), fontsToTest.filter(isHere)];
  if (train.length > 0 && test.length > 0) return { train, test };
  throw new Error(
    'expected fonts to draw with, found none; apt-get install fonts-liberation fonts-dejavu fonts-comic-neue',
  );
}

function drawn(label: string, font: string, random: Random): string {
  const size = between(random, 80, 120); // pixels
  const [x, y] = [side / 2 + between(random, -12, 12), side / 2 + size * 0.36 + between(random, -12, 12)];
  const turn = between(random, -10, 10); // degrees
  const slant = between(random, -8, 8); // degrees
  const weight = oneOf(random, ['normal', 'bold']);
  const paper = grey(random, 215, 255);
  const ink = grey(random, 0, 90);
  const place = `rotate(${turn} ${side / 2} ${side / 2}) skewX(${slant})`;
  const text = `<text x="${x}" y="${y}" text-anchor="middle" font-family="${font}" font-weight="${weight}" font-size="${size}" fill="${ink}" transform="${place}">${label}</text>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${side}" height="${side}"><rect width="${side}" height="${side}" fill="${paper}"/>${text}</svg>`;
}

function grey(random: Random, from: number, to: number): string {
  const value = Math.round(between(random, from, to));
  return `rgb(${value},${value},${value})`;
}
