/** Images as numbers, as the network takes them: what comes must be greys of whole images. */
import { imageSide, imageSize } from '../../model/data/dataset.ts';
import type { ImageTensor } from '../../model/serving/messages.ts';
import { invalid } from './protocol-scope.ts';

export type GreyType = 'FP32' | 'UINT8';

const deepest = 4; // [N, 28, 28, 1]
const shown = 60; // characters of a value that is not as expected

/**
 * Copies numbers from JSON in row-major order; it accepts any nesting of up to four levels. The message of an error ends with
 * `where`.
 *
 * @throws HttpProblem 400
 */
export function greysFromJson(data: unknown, images: number, type: GreyType, where = ''): ImageTensor {
  const greys = allocate(images, type);
  let filled = 0;
  const add = (value: unknown, depth: number): void => {
    if (Array.isArray(value)) {
      if (depth === deepest) throw invalid(`expected arrays in at most ${deepest} levels, got more`);
      for (const each of value as unknown[]) add(each, depth + 1);
      return;
    }
    if (filled === greys.length) throw wrongCount(images, 'more', where);
    if (typeof value !== 'number') throw notGrey(value, filled, type, where);
    expectGrey(value, filled, type, where);
    greys[filled++] = value;
  };
  add(data, 0);
  if (filled < greys.length) throw wrongCount(images, String(filled), where);
  return greys;
}

/** Copies little-endian bytes, [N × 784] of the type. @throws HttpProblem 400 */
export function greysFromBytes(bytes: Uint8Array, images: number, type: GreyType): ImageTensor {
  const greys = allocate(images, type);
  if (bytes.byteLength !== greys.byteLength) {
    const size = `${images} × ${imageSize} × ${greys.BYTES_PER_ELEMENT}`;
    throw invalid(
      `expected ${greys.byteLength} bytes (${size}) of ${type} data, as shape and datatype give, got ${bytes.byteLength}`,
    );
  }
  new Uint8Array(greys.buffer).set(bytes); // the machine is little-endian: lib/byte-order.ts
  if (type === 'FP32') for (let i = 0; i < greys.length; i++) expectGrey(greys[i]!, i, type);
  return greys;
}

function allocate(images: number, type: GreyType): Uint8Array<ArrayBuffer> | Float32Array<ArrayBuffer> {
  const length = images * imageSize;
  return type === 'FP32' ? new Float32Array(length) : new Uint8Array(length);
}

/** Both comparisons are false for NaN, so it is refused too. */
function expectGrey(value: number, index: number, type: GreyType, where = ''): void {
  const isGrey =
    type === 'FP32' ? value >= 0 && value <= 1 : Number.isInteger(value) && value >= 0 && value <= 255;
  if (!isGrey) throw notGrey(value, index, type, where);
}

function notGrey(value: unknown, index: number, type: GreyType, where: string): Error {
  const range =
    type === 'FP32' ? 'numbers from 0 to 1 (greys of 0 … 255, divided by 255)' : 'integers from 0 to 255';
  const came = typeof value === 'number' ? String(value) : typeName(value);
  const image = Math.floor(index / imageSize);
  return invalid(
    `expected ${range}, got ${came.slice(0, shown)} at ${index % imageSize} of image ${image}${where}`,
  );
}

export function typeName(value: unknown): string {
  return value === null ? 'null' : value === undefined ? 'nothing' : `a ${typeof value}`;
}

function wrongCount(images: number, came: string, where: string): Error {
  const shape = `${imageSide} × ${imageSide} × 1`;
  return invalid(`expected ${images * imageSize} numbers (${images} × ${shape}), got ${came}${where}`);
}
