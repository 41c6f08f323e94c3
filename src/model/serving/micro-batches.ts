/**
 * Images in the predictor process, from their arrival to their inference: they wait, are decoded a few at a time, and
 * are inferred in batches, each by one version. A dropped image is let go of wherever it stands. Knows no messages and no
 * engine.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ImageProblem } from '../image/problem.ts';
import type { ReadPicture } from '../image/read-picture.ts';
import type { DecodePicture } from './decode-pool.ts';
import type { ImageOrder, TensorOrder } from './messages.ts';

export type DecodedImage = Omit<ImageOrder, 'image'> & {
  readonly id: number;
  readonly picture: ReadPicture & { readonly ok: true };
  readonly decodeMs: number;
  readonly arrivedAt: number; // performance.now()
};

/** Images that came as the network takes them. */
export type WaitingTensor = TensorOrder & { readonly id: number; readonly arrivedAt: number };

export type MicroBatchOptions = {
  readonly maxDecoding: number; // images at a time
  readonly maxBatch: number; // images
  /** May call `onLarge` for an image that will take long: others don't wait for it, and it takes up no place of theirs. */
  readonly decode: DecodePicture;
  /** Takes one image or more of a version, at most `maxBatch`, in the order in which they were decoded. */
  readonly infer: (version: number, batch: DecodedImage[]) => void;
  /** Takes a tensor: it is a batch of its own. */
  readonly inferTensor: (tensor: WaitingTensor) => void;
  readonly onRefused: (id: number, problem: ImageProblem) => void;
  /** A dropped image has been let go of. */
  readonly onDropped: (id: number) => void;
};

type WaitingImage = ImageOrder & { readonly arrivedAt: number };

const fillBatchMs = 2;
const longestPinnedWaitMs = 50; // behind images for the champion
const pinnedShare = 1 / 4; // of the decoding slots, at most

export class MicroBatches {
  readonly #options: MicroBatchOptions;
  readonly #waiting = new Map<number, WaitingImage>(); // by id, oldest first
  readonly #decoding = new Set<number>(); // without those that were dropped meanwhile
  readonly #large = new Set<number>(); // being decoded without a slot, dropped ones too
  readonly #decoded = new Map<number, DecodedImage | WaitingTensor>(); // what can be inferred, by id, oldest first
  #decodingSlots = 0; // in use, by dropped images too
  #pinnedSlots = 0; // of them, by pinned images
  #wasOverdue = false; // the last batch was a pinned image that had waited for long
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

  add(id: number, order: ImageOrder): void {
    this.#waiting.set(id, { ...order, arrivedAt: performance.now() });
    this.#decodeNext();
  }

  addTensor(id: number, order: TensorOrder): void {
    this.#decoded.set(id, { ...order, id, arrivedAt: performance.now() });
    this.#inferWhenDue();
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
      if (image.isPinned && this.#pinnedSlots >= this.#mostPinnedSlots) continue;
      this.#waiting.delete(id);
      void this.#decode(id, image);
    }
  }

  get #mostPinnedSlots(): number {
    return Math.max(1, Math.floor(this.#options.maxDecoding * pinnedShare));
  }

  async #decode(id: number, { image, ...order }: WaitingImage): Promise<void> {
    this.#takeSlot(order, 1);
    this.#decodings++;
    this.#decoding.add(id);
    const startedAt = performance.now();
    const onLarge = () => {
      this.#large.add(id);
      this.#takeSlot(order, -1);
      this.#decodeNext();
      this.#inferWhenDue();
    };
    const isWanted = () => this.#decoding.has(id);
    const picture = await this.#options.decode(image, {
      ...(order.as && { as: order.as }),
      onLarge,
      isWanted,
    });
    if (!this.#large.delete(id)) this.#takeSlot(order, -1);
    this.#decodeNext();
    if (!this.#decoding.delete(id) || !picture) this.#options.onDropped(id);
    else if (!picture.ok) this.#options.onRefused(id, picture);
    else this.#decoded.set(id, { ...order, id, picture, decodeMs: performance.now() - startedAt });
    this.#inferWhenDue();
  }

  #takeSlot({ isPinned }: Pick<ImageOrder, 'isPinned'>, count: 1 | -1): void {
    this.#decodingSlots += count;
    if (isPinned) this.#pinnedSlots += count;
  }

  /** One image takes as long as four in a batch: while others are being decoded it waits for them, but not for long and not
   * for large ones. */
  #inferWhenDue(): void {
    if (this.#isInferring || this.#decoded.size === 0) return;
    const isAnyComing = [...this.#decoding].some((id) => !this.#large.has(id));
    const hasTensor = [...this.#decoded.values()].some(isTensor);
    const isDue = !isAnyComing || hasTensor || this.#decoded.size >= this.#options.maxBatch;
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
    const batch = this.#nextBatch();
    for (const { id } of batch) this.#decoded.delete(id);
    const [first] = batch;
    if (!first) return; // all were dropped
    if (isTensor(first)) this.#options.inferTensor(first);
    else this.#options.infer(first.version, batch as DecodedImage[]);
  }

  /**
   * Images of one version, or a tensor. Pinned ones come after all others. One that has waited for long comes first, alone, and after
   * it a batch of the others.
   */
  #nextBatch(): (DecodedImage | WaitingTensor)[] {
    const decoded = [...this.#decoded.values()];
    const pinned = decoded.find(({ isPinned }) => isPinned);
    const first = decoded.find(({ isPinned }) => !isPinned) ?? pinned;
    if (!first) return [];
    const isOverdue = pinned && performance.now() - pinned.arrivedAt > longestPinnedWaitMs;
    this.#wasOverdue = isOverdue === true && first !== pinned && !this.#wasOverdue;
    if (this.#wasOverdue) return [pinned!];
    if (isTensor(first)) return [first];
    const belongs = (other: DecodedImage | WaitingTensor): other is DecodedImage =>
      !isTensor(other) && other.version === first.version && other.isPinned === first.isPinned;
    return decoded.filter(belongs).slice(0, this.#options.maxBatch);
  }
}

function isTensor(ready: DecodedImage | WaitingTensor): ready is WaitingTensor {
  return 'tensor' in ready;
}
