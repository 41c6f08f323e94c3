/** Image bytes → what a network is to read from them: one character, or a line of them. */
import { type ReadDigit, readDigit } from './read-digit.ts';
import { type ReadLine, readLine } from './read-line.ts';

export type ReadAs = 'digit' | 'line';
export type ReadPicture = ReadDigit | ReadLine;

/** What is wrong with the bytes is in the result; nothing is thrown for it. */
export function readPicture(bytes: Uint8Array, as: ReadAs): Promise<ReadPicture> {
  return as === 'line' ? readLine(bytes) : readDigit(bytes);
}
