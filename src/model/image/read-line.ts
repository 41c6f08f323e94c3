/** Image bytes → the characters of one line, each as the 28×28 that the network knows, with every way to cut those that touch. */
import { type FoundLine, findLine } from './find-line.ts';
import { type ImageProblem, noInk, readGreys } from './read-digit.ts';

export type ReadLine = ({ readonly ok: true } & FoundLine) | ImageProblem;

/** Reads what `readDigit` reads. What is wrong with the bytes is in the result; nothing is thrown for it. */
export async function readLine(bytes: Uint8Array): Promise<ReadLine> {
  return readGreys(bytes, (greys) => {
    const line = findLine(greys);
    return line.shapes.length === 0 ? noInk(greys) : { ok: true, ...line };
  });
}
