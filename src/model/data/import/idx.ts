/**
 * Sets in the IDX format, as MNIST came: a file of pictures and one of labels, gzipped or not. They are read in pieces.
 * Source: http://yann.lecun.com/exdb/mnist
 */
import { closeSync, createReadStream, openSync } from 'node:fs';
import { pipeline, Readable, type Transform } from 'node:stream';
import { crc32, createGunzip, createInflateRaw } from 'node:zlib';
import { messageOf, TrainyardError } from '../../../lib/errors.ts';
import { isSystemError } from '../../../lib/files.ts';
import type { ArchiveEntry, Place } from './archive.ts';
import { readIdxName } from './idx-names.ts';
import { type SplitName, splitOf } from './labels.ts';
import type { Limits } from './limits.ts';
import { localDataStart } from './read-entry.ts';

const [imagesMagic, labelsMagic] = [0x803, 0x801]; // unsigned bytes in three dimensions, in one
const [imagesHeader, labelsHeader] = [16, 8]; // bytes
const mostSide = 1024; // pixels

export type IdxPair = {
  readonly images: ArchiveEntry;
  readonly labels: ArchiveEntry;
  readonly split: SplitName | null;
};

/** @throws TrainyardError `IDX_INVALID` where a file lacks its counterpart */
export function pairIdx(entries: readonly ArchiveEntry[]): IdxPair[] {
  const halves = new Map<string, { images?: ArchiveEntry; labels?: ArchiveEntry }>();
  for (const entry of entries) {
    const name = readIdxName(entry.parts.at(-1)!);
    if (!name) continue;
    const key = [...entry.parts.slice(0, -1), name.prefix].join('/');
    const half = halves.get(key) ?? {};
    if (half[name.part]) throw invalid(`one file of ${name.part} "${name.prefix}"`, 'two');
    halves.set(key, { ...half, [name.part]: entry });
  }
  return [...halves].map(([key, { images, labels }]) => {
    if (!images || !labels)
      throw invalid(`pictures and labels for "${key}"`, `only ${images ? 'pictures' : 'labels'}`);
    return { images, labels, split: splitOfPrefix(key) };
  });
}

/** Looks for a word in the name of the file, then in the folders around it, the nearest first. */
function splitOfPrefix(prefix: string): SplitName | null {
  for (const part of prefix.split('/').toReversed()) {
    const splits = part.split(/[^a-z0-9]+/iu).map(splitOfWord);
    const found = splits.find((split) => split !== null);
    if (found) return found;
  }
  return null;
}

function splitOfWord(word: string): SplitName | null {
  if (/^(?:t10k|test)/iu.test(word)) return 'test';
  return /^train/iu.test(word) ? 'train' : splitOf(word);
}

/** Labels as numbers, 0 to 255. @throws TrainyardError `IDX_INVALID`; the file system's error */
export async function readIdxLabels(
  archive: string,
  entry: ArchiveEntry,
  limits: Limits,
): Promise<Uint8Array> {
  const pieces = pieceReader(inflated(archive, entry, limits));
  const header = await pieces.take(labelsHeader, entry);
  if (header.readUInt32BE(0) !== labelsMagic) throw invalid(`labels in ${nameOf(entry)}`, 'another IDX type');
  const count = header.readUInt32BE(4);
  if (count > limits.pictures) throw tooMany(limits.pictures);
  const labels = await pieces.take(count, entry);
  await pieces.end(entry);
  return labels;
}

export type IdxImages = {
  readonly count: number;
  readonly width: number; // pixels
  readonly height: number;
  /** @throws TrainyardError `IDX_INVALID` where there are more pictures or fewer */
  readonly expect: (labels: number) => void;
  /** Pieces of up to `atOnce` pictures, [n × height × width]. To be asked for once; whoever stops early closes the file. */
  readonly pieces: (atOnce: number) => AsyncGenerator<Uint8Array, void>;
};

/** @throws TrainyardError `IDX_INVALID`, also while pieces are read; the file system's error */
export async function openIdxImages(
  archive: string,
  entry: ArchiveEntry,
  limits: Limits,
): Promise<IdxImages> {
  const reader = pieceReader(inflated(archive, entry, limits));
  const header = await reader.take(imagesHeader, entry);
  if (header.readUInt32BE(0) !== imagesMagic)
    throw invalid(`pictures in ${nameOf(entry)}`, 'another IDX type');
  const [count, height, width] = [4, 8, 12].map((at) => header.readUInt32BE(at)) as [number, number, number];
  if (Math.min(width, height) < 1 || Math.max(width, height) > mostSide)
    throw invalid(`pictures of 1 to ${mostSide} pixels a side in ${nameOf(entry)}`, `${width}×${height}`);
  async function* pieces(atOnce: number) {
    try {
      for (let first = 0; first < count; first += atOnce)
        yield Uint8Array.from(await reader.take(Math.min(atOnce, count - first) * width * height, entry));
      await reader.end(entry);
    } finally {
      await reader.close();
    }
  }
  const expect = (labels: number) => {
    if (count !== labels)
      throw invalid(`as many pictures as labels, ${labels}, in ${nameOf(entry)}`, `${count}`);
  };
  return { count, width, height, expect, pieces };
}

const nameOf = ({ parts }: ArchiveEntry) => parts.join('/');

export const tooMany = (most: number) => invalid(`at most ${most} pictures`, 'more');

function invalid(expected: string, got: string): TrainyardError {
  return new TrainyardError('IDX_INVALID', `expected ${expected}, got ${got}`);
}

/** Takes any number of bytes at a time from chunks of any size. */
function pieceReader(chunks: AsyncIterator<Buffer>) {
  let rest: Buffer = Buffer.alloc(0);
  return {
    async take(length: number, entry: ArchiveEntry): Promise<Buffer> {
      const parts = [rest];
      let has = rest.length;
      while (has < length) {
        const { value, done } = await chunks.next();
        if (done) throw invalid(`${length} bytes more in ${nameOf(entry)}`, `${has}`);
        parts.push(value);
        has += value.length;
      }
      const all = parts.length === 1 ? rest : Buffer.concat(parts);
      rest = all.subarray(length);
      return all.subarray(0, length);
    },
    async end(entry: ArchiveEntry): Promise<void> {
      if (rest.length > 0 || !(await chunks.next()).done)
        throw invalid(`the end of ${nameOf(entry)}`, 'more bytes');
    },
    /** Closes the file, however much of it is left. */
    async close(): Promise<void> {
      await chunks.return?.();
    },
  };
}

/** The bytes of an entry, inflated as often as need be, checked against its CRC-32 at the end. */
async function* inflated(archive: string, entry: ArchiveEntry, limits: Limits): AsyncGenerator<Buffer, void> {
  const stored = checked(storedBytes(archive, entry.place), entry);
  const bytes = nameOf(entry).toLowerCase().endsWith('.gz') ? through(stored, createGunzip()) : stored;
  let length = 0;
  try {
    for await (const chunk of bytes) {
      length += chunk.length;
      if (length > limits.idxBytes)
        throw invalid(`at most ${limits.idxBytes} bytes in ${nameOf(entry)}`, 'more');
      yield chunk;
    }
  } catch (error) {
    if (error instanceof TrainyardError || isSystemError(error)) throw error;
    throw invalid(`${nameOf(entry)} to inflate`, messageOf(error));
  }
}

async function* checked(chunks: AsyncIterable<Buffer>, entry: ArchiveEntry): AsyncGenerator<Buffer, void> {
  const { size, local } = entry.place;
  let [length, checksum] = [0, 0];
  for await (const chunk of chunks) {
    length += chunk.length;
    checksum = crc32(chunk, checksum);
    if (length > size) break;
    yield chunk;
  }
  const isWhole = length === size && (!local || local.crc32 === checksum);
  if (!isWhole) throw invalid(`${size} bytes of ${nameOf(entry)} with the recorded CRC-32`, 'others');
}

async function* storedBytes(archive: string, place: Place): AsyncGenerator<Buffer, void> {
  if (place.stored === 0) return;
  const start = place.local ? startOf(archive, place) : place.offset;
  const stream = createReadStream(archive, { start, end: start + place.stored - 1 });
  yield* place.local?.isDeflated ? through(stream, createInflateRaw()) : (stream as AsyncIterable<Buffer>);
}

function startOf(archive: string, place: Place): number {
  const file = openSync(archive, 'r');
  try {
    const start = localDataStart(file, place);
    if (!start.ok) throw invalid(start.fault.expected, start.fault.got);
    return start.content;
  } finally {
    closeSync(file);
  }
}

async function* through(source: AsyncIterable<Buffer>, filter: Transform): AsyncGenerator<Buffer, void> {
  pipeline(Readable.from(source), filter, () => {}); // an error comes out of the filter
  yield* filter as AsyncIterable<Buffer>;
}
