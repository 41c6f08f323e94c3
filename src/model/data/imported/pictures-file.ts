/**
 * pictures.bin: greys [n × 784], labels [n] as 16-bit little-endian numbers, SHA-256 of each picture's greys [n × 32], names
 * as a JSON array. Training pictures come first, then those for the test.
 */
import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { imageSize } from '../dataset.ts';
import { testSetId } from '../test-set.ts';
import type { ManifestContent } from './manifest.ts';

export const hashBytes = 32;
export const labelBytes = 2;
const atOnce = 1024; // pictures

/** How long the file of so many pictures is without their names. */
export function leastBytes(count: number): number {
  return count * (imageSize + labelBytes + hashBytes);
}

/** The pictures to write, by place: training first. */
export type PictureSource = {
  readonly train: number; // pictures
  readonly count: number; // of both parts
  readonly greys: (place: number, target: Uint8Array) => void; // [784]
  readonly label: (place: number) => number;
  readonly hash: (place: number) => Uint8Array; // [32]
  readonly name: (place: number) => string;
};

type Written = Pick<ManifestContent, 'pictures' | 'testSet'>;
type Section = ManifestContent['pictures']['sections']['greys'];

/** Writes and fsyncs the file. @throws the file system's error */
export async function writePictures(
  path: string,
  source: PictureSource,
  signal?: AbortSignal,
): Promise<Written> {
  const file = openSync(path, 'w');
  try {
    const out = new Output(file);
    const test = { greys: createHash('sha256'), labels: createHash('sha256') };
    const greys = await section(out, source, imageSize, signal, (from, to) => {
      const bytes = pieces(from, to, imageSize, (place, target) => source.greys(place, target));
      test.greys.update(bytes.subarray(Math.max(0, source.train - from) * imageSize));
      return bytes;
    });
    const labels = await section(out, source, labelBytes, signal, (from, to) => {
      const bytes = pieces(from, to, labelBytes, (place, target) =>
        Buffer.from(target.buffer, target.byteOffset).writeUInt16LE(source.label(place)),
      );
      test.labels.update(bytes.subarray(Math.max(0, source.train - from) * labelBytes));
      return bytes;
    });
    const hashes = await section(out, source, hashBytes, signal, (from, to) =>
      pieces(from, to, hashBytes, (place, target) => target.set(source.hash(place))),
    );
    const names = await writeNames(out, source, signal);
    fsyncSync(file);
    const sections = { greys, labels, hashes, names };
    const testSet = testSetId(test.greys.digest('hex'), test.labels.digest('hex'));
    return { pictures: { sha256: out.sha256(), bytes: out.length, sections }, testSet };
  } finally {
    closeSync(file);
  }
}

/** Appends to a file and hashes what it appends. */
class Output {
  length = 0; // bytes
  readonly #file: number;
  readonly #hash = createHash('sha256');

  constructor(file: number) {
    this.#file = file;
  }

  append(bytes: Uint8Array): void {
    for (let written = 0; written < bytes.length; ) written += writeSync(this.#file, bytes, written);
    this.#hash.update(bytes);
    this.length += bytes.length;
  }

  sha256(): string {
    return this.#hash.digest('hex');
  }
}

async function section(
  out: Output,
  { count }: PictureSource,
  size: number,
  signal: AbortSignal | undefined,
  piece: (from: number, to: number) => Uint8Array,
): Promise<Section> {
  const offset = out.length;
  for (let from = 0; from < count; from += atOnce) {
    out.append(piece(from, Math.min(count, from + atOnce)));
    await nextTurn();
    signal?.throwIfAborted();
  }
  return { offset, bytes: count * size };
}

function pieces(
  from: number,
  to: number,
  size: number,
  fill: (place: number, target: Uint8Array) => void,
): Uint8Array {
  const bytes = new Uint8Array((to - from) * size);
  for (let place = from; place < to; place++)
    fill(place, bytes.subarray((place - from) * size, (place - from + 1) * size));
  return bytes;
}

async function writeNames(
  out: Output,
  { count, name }: PictureSource,
  signal?: AbortSignal,
): Promise<Section> {
  const offset = out.length;
  out.append(Buffer.from('['));
  for (let from = 0; from < count; from += atOnce) {
    const length = Math.min(count - from, atOnce);
    const names = Array.from({ length }, (_, i) => JSON.stringify(name(from + i)));
    out.append(Buffer.from(`${from === 0 ? '' : ','}${names.join(',')}`));
    await nextTurn();
    signal?.throwIfAborted();
  }
  out.append(Buffer.from(']'));
  return { offset, bytes: out.length - offset };
}
