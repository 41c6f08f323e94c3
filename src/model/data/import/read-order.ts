/** What the threads of an import are asked, and what they answer. All messages are structured clones. */
import type { ImageForm } from '../dataset.ts';
import type { Place } from './archive.ts';
import type { EntryFault } from './problem.ts';

/** `look`: say whether each looks drawn, and make no pixels. */
export type ReadTask = ImageForm | 'look';

/** Pictures of one order: files in the archive, or greys of one size, [n × height × width]. */
export type Pictures =
  | { readonly kind: 'files'; readonly places: readonly Place[] }
  | { readonly kind: 'greys'; readonly greys: Uint8Array; readonly width: number; readonly height: number };

export type ReadOrder = { readonly id: number; readonly task: ReadTask; readonly pictures: Pictures };

export type ReadAnswer = {
  readonly pixels: Uint8Array; // [n × 784], nothing for those with a fault; empty for `look`
  readonly hashes: Uint8Array; // [n × 32], SHA-256 of the pixels of each; likewise
  readonly drawn: readonly boolean[]; // for `look`
  readonly faults: readonly (EntryFault | null)[];
};

export type ReadResult = { readonly id: number; readonly answer: ReadAnswer };

/** What each thread starts with: the path of the archive. */
export type ReadThreadData = { readonly archive: string };

/** The thread ends after the picture that it reads; no answer is wanted any more. */
export type EndOrder = { readonly task: 'end' };

export function countOf(pictures: Pictures): number {
  return pictures.kind === 'files'
    ? pictures.places.length
    : pictures.greys.length / (pictures.width * pictures.height);
}
