/**
 * Decodes and normalises pictures: small ones on the spot, others in threads, so that the work takes every core and
 * holds up no inference. Large ones, by the memory that they take, share a bounded room.
 */
import { availableParallelism } from 'node:os';
import { startThread } from '../../lib/thread.ts';
import { costOf } from '../image/examine.ts';
import { type ReadAs, type ReadPicture, readPicture } from '../image/read-picture.ts';
import { createDecodeRoom } from './decode-room.ts';

export type DecodeOrder = { readonly id: number; readonly image: Uint8Array; readonly as: ReadAs };
export type DecodeResult = { readonly id: number; readonly picture: ReadPicture };

const threadCount = Math.min(availableParallelism(), 4); // each takes 15 MB
const headerBytes = 24; // of a PNG, up to its size; what is shorter is refused
const smallBytes = 16 * 1024;
const smallPixels = 64 * 64; // less than 0.1 ms of work, about as much as handing it over
const plainPixels = 1024 * 1024; // of a PNG: at most 8 MB, or 16 where it is interlaced
const largeDecoding = 16e6; // bytes; less is bounded by the number of images that are decoded at a time
const roomBytes = 160e6; // for all large ones: as much as the largest that is decoded
const leastRoom = roomBytes / Math.min(threadCount, 3); // of sharp's four threads one stays free for others

export type DecodeOptions = {
  /** Unset: one character. */
  readonly as?: ReadAs;
  /** Called once if the picture is large, before it waits for room. */
  readonly onLarge?: () => void;
  /** Asked before a large picture is decoded. */
  readonly isWanted?: () => boolean;
};

/** Null: the picture is no longer wanted. */
export type DecodePicture = (image: Uint8Array, options?: DecodeOptions) => Promise<ReadPicture | null>;

/** Starts the pool. It answers as `readPicture`. The threads live as long as the process; a fault in one ends it. */
export function startDecodePool(): DecodePicture {
  const threads = Array.from({ length: threadCount }, startDecodeThread);
  const room = createDecodeRoom(roomBytes);
  const inThread = (image: Uint8Array, as: ReadAs) =>
    threads.reduce((a, b) => (b.pending() < a.pending() ? b : a)).decode(image, as);
  return async (image, { as = 'character', onLarge, isWanted } = {}) => {
    if (as !== 'line') {
      const pixels = pngPixels(image);
      const isSmall = image.length <= smallBytes && pixels <= smallPixels;
      if (image.length < headerBytes || isSmall) return readPicture(image, as);
      if (pixels <= plainPixels) return inThread(image, as);
    }
    const cost = await costOf(image);
    if (!cost || (cost.shrink === 1 && cost.memory < largeDecoding)) return inThread(image, as);
    onLarge?.();
    return room.run(Math.max(cost.memory, leastRoom), () => inThread(image, as), isWanted);
  };
}

function startDecodeThread() {
  const thread = startThread(import.meta.url, 'decode-thread');
  const pending = new Map<number, (picture: ReadPicture) => void>();
  let nextId = 0;
  thread.on('message', ({ id, picture }: DecodeResult) => {
    pending.get(id)!(picture);
    pending.delete(id);
  });
  thread.on('error', (error) => {
    throw error;
  });
  return {
    pending: () => pending.size,
    decode: (picture: Uint8Array, as: ReadAs) =>
      new Promise<ReadPicture>((resolve) => {
        // A copy: the picture lies in the buffer of a whole message, all of which would be cloned.
        const image = new Uint8Array(picture);
        const order: DecodeOrder = { id: nextId++, image, as };
        pending.set(order.id, resolve);
        thread.postMessage(order, [image.buffer]);
      }),
  };
}

/** Pixels that a PNG's header declares; Infinity for what is no PNG. */
function pngPixels(image: Uint8Array): number {
  if (image.length < headerBytes) return Number.POSITIVE_INFINITY;
  const header = new DataView(image.buffer, image.byteOffset);
  const [signature, type] = [header.getUint32(0), header.getUint32(12)];
  const isPng = signature === 0x89504e47 && type === 0x49484452; // '\x89PNG', 'IHDR'
  return isPng ? header.getUint32(16) * header.getUint32(20) : Number.POSITIVE_INFINITY;
}
