/** Image bytes → what a network is to read from them: one character, a line of them, or a picture as a whole. */
import { type ReadDigit, readDigit } from './read-digit.ts';
import { type ReadLine, readLine } from './read-line.ts';
import { readWholePicture } from './whole-picture.ts';

export type ReadAs = 'character' | 'line' | 'picture';
export type ReadPicture = ReadDigit | ReadLine;

/** What is wrong with the bytes is in the result; nothing is thrown for it. */
export async function readPicture(bytes: Uint8Array, as: ReadAs): Promise<ReadPicture> {
  if (as === 'line') return readLine(bytes);
  if (as === 'character') return readDigit(bytes);
  const picture = await readWholePicture(bytes);
  return picture.ok ? { ...picture, warnings: [] } : picture;
}
