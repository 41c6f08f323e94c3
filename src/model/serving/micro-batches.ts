/**
 * Images in the predictor process, from their arrival to their inference: they wait, are decoded a few at a time, and
 * are inferred in batches. A dropped image is let go of wherever it stands. Knows no messages and no model.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ImageProblem, ReadDigit } from '../image/read-digit.ts';

export type DecodedImage = {
  readonly id: number;
  readonly pixels: Uint8Array; // [784]
  readonly decodeMs: number;
  readonly arrivedAt: number; // performance.now()
  readonly withPixels: boolean; // wanted in the answer
};

export type MicroBatchOptions = {
  readonly maxDecoding: number; // images at a time
  readonly maxBatch: number; // images
  readonly decode: (image: Uint8Array) => Promise<ReadDigit>;
  /** Takes one image or more, at most `maxBatch`, in the order in which they were decoded. */
  readonly infer: (batch: DecodedImage[]) => void;
  readonly onRefused: (id: number, problem: ImageProblem) => void;
  /** A dropped image has been let go of. */
  readonly onDropped: (id: number) => void;
};

type WaitingImage = { readonly image: Uint8Array; readonly arrivedAt: number; readonly withPixels: boolean };

const fillBatchMs = 2;

export class MicroBatches {
  readonly #options: MicroBatchOptions;
  readonly #waiting = new Map<number, WaitingImage>(); // by id, oldest first
  readonly #decoding = new Set<number>(); // without those that were dropped meanwhile
  readonly #decoded = new Map<number, DecodedImage>();
  #decodingSlots = 0; // in use, by dropped images too
  #decodings = 0;
  #isInferring = false;
  #fillTimer: NodeJS.Timeout | undefined; // ends the wait for a fuller batch

  constructor(options: MicroBatchOptions) {
    this.#options = options;
  }

  /** Decodings begun since the start. */
  get decodings(): number {
    return this.#decodings;
  }

  add(id: number, image: Uint8Array, withPixels: boolean): void {
    this.#waiting.set(id, { image, arrivedAt: performance.now(), withPixels });
    this.#decodeNext();
  }

  /** An image that is being decoded is let go of when its decoding ends. An unknown id is ignored. */
  drop(id: number): void {
    if (this.#waiting.delete(id) || this.#decoded.delete(id)) this.#options.onDropped(id);
    else this.#decoding.delete(id);
    this.#inferWhenDue();
  }

  #decodeNext(): void {
    for (const [id, image] of this.#waiting) {
      if (this.#decodingSlots >= this.#options.maxDecoding) return;
      this.#waiting.delete(id);
      void this.#decode(id, image);
    }
  }

  async #decode(id: number, { image, arrivedAt, withPixels }: WaitingImage): Promise<void> {
    this.#decodingSlots++;
    this.#decodings++;
    this.#decoding.add(id);
    const startedAt = performance.now();
    const digit = await this.#options.decode(image);
    this.#decodingSlots--;
    this.#decodeNext();
    if (!this.#decoding.delete(id)) this.#options.onDropped(id);
    else if (!digit.ok) this.#options.onRefused(id, digit);
    else {
      const decodeMs = performance.now() - startedAt;
      this.#decoded.set(id, { id, pixels: digit.pixels, decodeMs, arrivedAt, withPixels });
    }
    this.#inferWhenDue();
  }

  /** One image takes as long as four in a batch: while others are being decoded it waits for them, but not for long. */
  #inferWhenDue(): void {
    if (this.#isInferring || this.#decoded.size === 0) return;
    const isDue = this.#decoding.size === 0 || this.#decoded.size >= this.#options.maxBatch;
    if (isDue) void this.#inferAll();
    else this.#fillTimer ??= setTimeout(() => void this.#inferAll(), fillBatchMs);
  }

  /** Infers one batch at a time: images that are decoded during one make up the next. */
  async #inferAll(): Promise<void> {
    clearTimeout(this.#fillTimer);
    this.#fillTimer = undefined;
    this.#isInferring = true;
    await nextTurn(); // images that are decoded in the same turn go into the first batch
    do {
      this.#inferNext();
      await nextTurn();
    } while (this.#decoded.size >= this.#options.maxBatch);
    this.#isInferring = false;
    this.#inferWhenDue();
  }

  #inferNext(): void {
    const batch = [...this.#decoded.values()].slice(0, this.#options.maxBatch);
    for (const { id } of batch) this.#decoded.delete(id);
    if (batch.length > 0) this.#options.infer(batch); // none is left when all were dropped
  }
}
