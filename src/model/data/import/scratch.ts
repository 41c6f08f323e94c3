/** Greys of pictures on disk, by slot, while the others are still being read: memory stays flat however many there are. */
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { imageSize } from '../dataset.ts';

export class Scratch {
  readonly #file: number;

  constructor(path: string) {
    this.#file = openSync(path, 'w+');
  }

  /** @param greys [n × 784], of the slots from `first` on */
  write(first: number, greys: Uint8Array): void {
    const start = first * imageSize;
    for (let done = 0; done < greys.length; )
      done += writeSync(this.#file, greys, done, greys.length - done, start + done);
  }

  /** @param target [784] */
  read(slot: number, target: Uint8Array): void {
    const read = readSync(this.#file, target, 0, imageSize, slot * imageSize);
    if (read !== imageSize) throw new Error(`expected ${imageSize} bytes of slot ${slot}, got ${read}`);
  }

  close(): void {
    closeSync(this.#file);
  }
}
