/**
 * Decodes and normalises pictures: small ones on the spot, others in threads, so that the work takes every core and
 * holds up no inference.
 */
import { availableParallelism } from 'node:os';
import { startThread } from '../../lib/thread.ts';
import { type ReadDigit, readDigit } from '../image/read-digit.ts';

export type DecodeOrder = { readonly id: number; readonly image: Uint8Array };
export type DecodeResult = { readonly id: number; readonly digit: ReadDigit };

const threadCount = Math.min(availableParallelism(), 4); // each takes 15 MB
const smallBytes = 16 * 1024;
const smallPixels = 64 * 64; // less than 0.1 ms of work, about as much as handing it over

/** Starts the pool. It answers as `readDigit`. The threads live as long as the process; a fault in one ends it. */
export function startDecodePool(): (image: Uint8Array) => Promise<ReadDigit> {
  const threads = Array.from({ length: threadCount }, startDecodeThread);
  return (image) => {
    if (isSmall(image)) return readDigit(image);
    return threads.reduce((a, b) => (b.pending() < a.pending() ? b : a)).decode(image);
  };
}

function startDecodeThread() {
  const thread = startThread(import.meta.url, 'decode-thread');
  const pending = new Map<number, (digit: ReadDigit) => void>();
  let nextId = 0;
  thread.on('message', ({ id, digit }: DecodeResult) => {
    pending.get(id)!(digit);
    pending.delete(id);
  });
  thread.on('error', (error) => {
    throw error;
  });
  return {
    pending: () => pending.size,
    decode: (picture: Uint8Array) =>
      new Promise<ReadDigit>((resolve) => {
        // A copy: the picture lies in the buffer of a whole message, all of which would be cloned.
        const image = new Uint8Array(picture);
        const order: DecodeOrder = { id: nextId++, image };
        pending.set(order.id, resolve);
        thread.postMessage(order, [image.buffer]);
      }),
  };
}

/** Judges by the number of bytes and by the size that a PNG's header declares. Bytes that are no PNG are not small. */
function isSmall(image: Uint8Array): boolean {
  if (image.length < 24) return true; // a refusal
  if (image.length > smallBytes) return false; // it may have a great many chunks
  const header = new DataView(image.buffer, image.byteOffset);
  const [signature, type] = [header.getUint32(0), header.getUint32(12)];
  const isPng = signature === 0x89504e47 && type === 0x49484452; // '\x89PNG', 'IHDR'
  return isPng && header.getUint32(16) * header.getUint32(20) <= smallPixels;
}
