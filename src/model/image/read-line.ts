/** Image bytes → the characters of one line, each as the 28×28 that the network knows, with every way to cut those that touch. */
import { type FoundLine, findLine } from './find-line.ts';
import type { ImageProblem } from './problem.ts';
import { readGreys } from './read-greys.ts';

/** `shrink`: the boxes are to be multiplied by it, for the picture's own pixels. */
export type ReadLine =
  | { readonly ok: true; readonly line: FoundLine; readonly shrink: number }
  | ImageProblem;

/** Reads what `readGreys` reads. What is wrong with the bytes is in the result; nothing is thrown for it. */
export function readLine(bytes: Uint8Array): Promise<ReadLine> {
  return readGreys(bytes, (greys, shrink) => {
    const line = findLine(greys);
    return line.shapes.length === 0 ? null : { ok: true, line, shrink };
  });
}
