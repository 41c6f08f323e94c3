/**
 * A picture of samples with their labels. Digits are drawn without fonts, since containers often have none; other labels
 * are left out there.
 */

import { TrainyardError } from '../../lib/errors.ts';
import { encodePng } from '../image/encode-png.ts';
import { imageSide, imageSize } from './dataset.ts';

const enlargement = 6; // picture pixels a digit pixel
const tileSide = imageSide * enlargement;
const gap = 28; // around tiles
const labelGap = 12; // between a tile and its label

const glyphWidth = 5;
const glyphHeight = 7;
const glyphEnlargement = 3;
const labelHeight = glyphHeight * glyphEnlargement;

const paper = 250; // greys
const labelInk = 70;

/** 0 to 9, 5×7, a row of bits each: 0b10000 is the leftmost pixel. */
const glyphs: readonly (readonly number[])[] = [
  [0b01110, 0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b01110],
  [0b00100, 0b01100, 0b00100, 0b00100, 0b00100, 0b00100, 0b01110],
  [0b01110, 0b10001, 0b00001, 0b00110, 0b01000, 0b10000, 0b11111],
  [0b01110, 0b10001, 0b00001, 0b00110, 0b00001, 0b10001, 0b01110],
  [0b00010, 0b00110, 0b01010, 0b10010, 0b11111, 0b00010, 0b00010],
  [0b11111, 0b10000, 0b11110, 0b00001, 0b00001, 0b10001, 0b01110],
  [0b00110, 0b01000, 0b10000, 0b11110, 0b10001, 0b10001, 0b01110],
  [0b11111, 0b00001, 0b00010, 0b00100, 0b00100, 0b01000, 0b01000],
  [0b01110, 0b10001, 0b10001, 0b01110, 0b10001, 0b10001, 0b01110],
  [0b01110, 0b10001, 0b10001, 0b01111, 0b00001, 0b00010, 0b01100],
];

type Canvas = { readonly greys: Uint8Array; readonly width: number; readonly height: number };

/**
 * A PNG of the images in a grid as square as their number allows, row by row, each label beneath its digit.
 *
 * @param images n × [784]
 * @param labels n, in any script
 * @throws TrainyardError `SAMPLES_INVALID` when there are none, or an image or a label is not such
 */
export async function renderSamples(
  images: readonly Uint8Array[],
  labels: readonly string[],
): Promise<Buffer> {
  expectSamples(images, labels);
  const columns = Math.ceil(Math.sqrt(images.length));
  const canvas = blankCanvas(columns, Math.ceil(images.length / columns));
  for (const [i, image] of images.entries()) {
    const x = gap + (i % columns) * (tileSide + gap);
    const y = gap + Math.floor(i / columns) * (tileSide + labelGap + labelHeight + gap);
    drawDigit(canvas, image, x, y);
    await drawLabel(canvas, labels[i]!, x, y + tileSide + labelGap);
  }
  return encodePng(canvas.greys, canvas.width, canvas.height);
}

function expectSamples(images: readonly Uint8Array[], labels: readonly string[]): void {
  const wrong =
    images.length === 0 ||
    images.length !== labels.length ||
    images.some((image) => image.length !== imageSize);
  if (!wrong) return;
  throw new TrainyardError(
    'SAMPLES_INVALID',
    `expected one or more images of ${imageSize} bytes with a label each, ` +
      `got ${images.length} of ${images.map(({ length }) => length).join(', ')} bytes and labels ${labels.join(', ')}`,
  );
}

function blankCanvas(columns: number, rows: number): Canvas {
  const width = gap + columns * (tileSide + gap);
  const height = gap + rows * (tileSide + labelGap + labelHeight + gap);
  return { greys: new Uint8Array(width * height).fill(paper), width, height };
}

function drawDigit(canvas: Canvas, image: Uint8Array, left: number, top: number): void {
  for (let i = 0; i < imageSize; i++) {
    const x = left + (i % imageSide) * enlargement;
    const y = top + Math.floor(i / imageSide) * enlargement;
    fillSquare(canvas, x, y, enlargement, image[i]!);
  }
}

/** Draws a label in the middle beneath a tile whose left edge is at `left`. */
async function drawLabel(canvas: Canvas, label: string, left: number, top: number): Promise<void> {
  const glyph = /^\d$/u.test(label) ? glyphs[Number(label)] : undefined;
  if (glyph) return drawGlyph(canvas, glyph, left + (tileSide - glyphWidth * glyphEnlargement) / 2, top);
  const text = await renderText(label).catch(() => null); // where there are no fonts
  if (!text) return;
  const [x, y] = [
    left + Math.floor((tileSide - text.width) / 2),
    top + Math.floor((labelHeight - text.height) / 2),
  ];
  for (let row = 0; row < text.height; row++) {
    for (let column = 0; column < text.width; column++) {
      const ink = text.greys[row * text.width + column]! / 255;
      const grey = Math.round(paper + (labelInk - paper) * ink);
      if (ink > 0) canvas.greys[(y + row) * canvas.width + x + column] = grey;
    }
  }
}

/** Ink, 0 to 255, of a text that is fitted beneath a tile. */
async function renderText(label: string): Promise<Canvas> {
  const { default: sharp } = await import('sharp');
  const text = label.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;'); // Pango's markup
  const rendered = sharp({ text: { text: `<span foreground="white">${text}</span>`, rgba: true, dpi: 120 } });
  const { data, info } = await sharp(await rendered.png().toBuffer())
    .extractChannel('alpha')
    .resize({ width: tileSide, height: labelHeight, fit: 'inside', withoutEnlargement: true })
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { greys: data, width: info.width, height: info.height };
}

function drawGlyph(canvas: Canvas, glyph: readonly number[], left: number, top: number): void {
  for (const [row, bits] of glyph.entries()) {
    for (let column = 0; column < glyphWidth; column++) {
      if (((bits >> (glyphWidth - 1 - column)) & 1) === 0) continue;
      const x = Math.floor(left) + column * glyphEnlargement;
      fillSquare(canvas, x, top + row * glyphEnlargement, glyphEnlargement, labelInk);
    }
  }
}

function fillSquare({ greys, width }: Canvas, left: number, top: number, side: number, grey: number): void {
  for (let y = top; y < top + side; y++) greys.fill(grey, y * width + left, y * width + left + side);
}
