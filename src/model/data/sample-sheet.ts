/** A picture of sample digits with their labels, drawn without fonts: containers often have none. */

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
 * A PNG of the digits in a grid as square as their number allows, row by row, each label beneath its digit.
 *
 * @param images n × [784], white on black
 * @param labels n, 0 to 9
 * @throws TrainyardError `SAMPLES_INVALID` when there are none, or an image or a label is not such
 */
export async function renderSamples(
  images: readonly Uint8Array[],
  labels: readonly number[],
): Promise<Buffer> {
  expectSamples(images, labels);
  const columns = Math.ceil(Math.sqrt(images.length));
  const canvas = blankCanvas(columns, Math.ceil(images.length / columns));
  for (const [i, image] of images.entries()) {
    const x = gap + (i % columns) * (tileSide + gap);
    const y = gap + Math.floor(i / columns) * (tileSide + labelGap + labelHeight + gap);
    drawDigit(canvas, image, x, y);
    drawLabel(
      canvas,
      labels[i]!,
      x + (tileSide - glyphWidth * glyphEnlargement) / 2,
      y + tileSide + labelGap,
    );
  }
  return encodePng(canvas.greys, canvas.width, canvas.height);
}

function expectSamples(images: readonly Uint8Array[], labels: readonly number[]): void {
  const wrong =
    images.length === 0 ||
    images.length !== labels.length ||
    images.some((image) => image.length !== imageSize) ||
    labels.some((label) => !(label in glyphs));
  if (!wrong) return;
  throw new TrainyardError(
    'SAMPLES_INVALID',
    `expected one or more images of ${imageSize} bytes with a label of 0 to 9 each, ` +
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

function drawLabel(canvas: Canvas, label: number, left: number, top: number): void {
  for (const [row, bits] of glyphs[label]!.entries()) {
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
