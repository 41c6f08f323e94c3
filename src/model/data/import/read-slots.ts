/** Reads all pictures of an archive, in threads, into the scratch file. */
import type { ImageForm } from '../dataset.ts';
import { type EntryProblem, printable } from './problem.ts';
import type { ReadAnswer } from './read-order.ts';
import type { ReadPool } from './read-pool.ts';
import type { Scratch } from './scratch.ts';
import type { Slots } from './slots.ts';

export type ReadProgress = {
  readonly pictures: number; // looked at so far
  readonly count: number; // in all
  readonly problems: number; // so far
};

/** `slots`: of the pictures that could be read, ascending. */
export type Read = { readonly slots: number[]; readonly hashes: Uint8Array };

type Options = {
  readonly problems: EntryProblem[]; // gets those of pictures
  readonly onProgress?: ((progress: ReadProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
};

/** @throws the signal's reason; the file system's error; what ended a thread */
export async function readSlots(
  slots: Slots,
  form: ImageForm,
  pool: ReadPool,
  scratch: Scratch,
  { problems, onProgress, signal }: Options,
): Promise<Read> {
  const hashes = new Uint8Array(slots.count * 32);
  const isRead = new Uint8Array(slots.count);
  let pictures = 0;
  const take = (first: number, answer: ReadAnswer) => {
    scratch.write(first, answer.pixels);
    hashes.set(answer.hashes, first * 32);
    for (const [i, wrong] of answer.faults.entries()) {
      if (wrong) problems.push({ path: printable(slots.nameOf(first + i)), ...wrong });
      else isRead[first + i] = 1;
    }
    pictures += answer.faults.length;
    onProgress?.({ pictures, count: slots.count, problems: problems.length });
  };
  for await (const { first, pictures: wanted } of slots.orders()) {
    signal?.throwIfAborted();
    await pool.send(form, wanted, (answer) => take(first, answer));
  }
  await pool.idle();
  signal?.throwIfAborted();
  const all = Array.from({ length: slots.count }, (_, slot) => slot);
  return { slots: all.filter((slot) => isRead[slot] === 1), hashes };
}
