/**
 * Reads pictures: small ones on the spot, others in threads, so that decoding and resampling take every core and
 * hold up no inference.
 */
import { availableParallelism } from 'node:os';
import { type ReadDigit, readDigit } from '../image.ts';
import { startThread } from '../thread.ts';

export type PictureOrder = { readonly id: number; readonly image: Uint8Array };
export type PictureRead = { readonly id: number; readonly digit: ReadDigit };

const threadCount = Math.min(availableParallelism(), 4); // each takes 15 MB
const smallBytes = 16 * 1024;
const smallPixels = 64 * 64; // less than 0.1 ms of work, about as much as handing it over

/** Reads as `readDigit` does. The threads live as long as the process, and their faults are the process's. */
export function createReader(): (image: Uint8Array) => Promise<ReadDigit> {
  const waiting = new Map<number, (digit: ReadDigit) => void>();
  let nextId = 0;
  const start = () => {
    const thread = startThread(import.meta.url, 'reader-thread');
    thread.on('message', ({ id, digit }: PictureRead) => {
      waiting.get(id)?.(digit);
      waiting.delete(id);
    });
    thread.on('error', (error) => {
      throw error;
    });
    return thread;
  };
  const threads = Array.from({ length: threadCount }, start);
  const readInThread = (image: Uint8Array) =>
    new Promise<ReadDigit>((resolve) => {
      // A copy: the image lies in the buffer of a whole message, all of which would be cloned.
      const order: PictureOrder = { id: nextId++, image: Uint8Array.from(image) };
      waiting.set(order.id, resolve);
      threads[order.id % threadCount]!.postMessage(order, [order.image.buffer as ArrayBuffer]);
    });
  return (image) => (isSmall(image) ? readDigit(image) : readInThread(image));
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
