/**
 * Reads pictures: small ones on the spot, others in threads, so that decoding and resampling take every core and
 * hold up no inference.
 */
import { availableParallelism } from 'node:os';
import { startThread } from '../../lib/thread.ts';
import { type ReadDigit, readDigit } from '../image/read-digit.ts';

export type PictureOrder = { readonly id: number; readonly image: Uint8Array };
export type PictureRead = { readonly id: number; readonly digit: ReadDigit };

const threadCount = Math.min(availableParallelism(), 4); // each takes 15 MB
const smallBytes = 16 * 1024;
const smallPixels = 64 * 64; // less than 0.1 ms of work, about as much as handing it over

/** Reads as `readDigit` does. The threads live as long as the process, and their faults are the process's. */
export function createReader(): (image: Uint8Array) => Promise<ReadDigit> {
  const threads = Array.from({ length: threadCount }, startReaderThread);
  return (image) => {
    if (isSmall(image)) return readDigit(image);
    return threads.reduce((a, b) => (b.waiting() < a.waiting() ? b : a)).read(image);
  };
}

function startReaderThread() {
  const thread = startThread(import.meta.url, 'reader-thread');
  const waiting = new Map<number, (digit: ReadDigit) => void>();
  let nextId = 0;
  thread.on('message', ({ id, digit }: PictureRead) => {
    waiting.get(id)!(digit);
    waiting.delete(id);
  });
  thread.on('error', (error) => {
    throw error;
  });
  return {
    waiting: () => waiting.size,
    read: (picture: Uint8Array) =>
      new Promise<ReadDigit>((resolve) => {
        // A copy: the picture lies in the buffer of a whole message, all of which would be cloned.
        const image = new Uint8Array(picture);
        const order: PictureOrder = { id: nextId++, image };
        waiting.set(order.id, resolve);
        thread.postMessage(order, [image.buffer]);
      }),
  };
}

/** By its bytes and the size that a PNG's header declares; what is no PNG is not small. */
function isSmall(image: Uint8Array): boolean {
  if (image.length < 24) return true; // a refusal
  if (image.length > smallBytes) return false; // it may have a great many chunks
  const header = new DataView(image.buffer, image.byteOffset);
  const [signature, type] = [header.getUint32(0), header.getUint32(12)];
  const isPng = signature === 0x89504e47 && type === 0x49484452; // '\x89PNG', 'IHDR'
  return isPng && header.getUint32(16) * header.getUint32(20) <= smallPixels;
}
