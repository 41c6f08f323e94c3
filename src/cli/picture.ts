/** Picture files that a command names; `-` is the standard input. */
import { createReadStream } from 'node:fs';
import { explain } from './context.ts';

const enoughBytes = 24 * 1024 * 1024; // more than the server takes, which then says so

/** A picture file that can't be read; the message says why. */
export class PictureNotReadable extends Error {}

/** @throws PictureNotReadable */
export async function loadPicture(file: string): Promise<Blob> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of file === '-' ? process.stdin : createReadStream(file)) {
      chunks.push(chunk as Buffer);
      size += (chunk as Buffer).byteLength;
      if (size > enoughBytes) break;
    }
  } catch (error) {
    throw new PictureNotReadable(`expected a picture file, got: ${explain(error)}`, { cause: error });
  }
  return new Blob(chunks, { type: 'application/octet-stream' }); // the bytes say which
}
