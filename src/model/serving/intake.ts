/**
 * Inside the predictor: images on their way to a batch. They wait, are decoded a few at a time, and wait for the
 * batch; one that nobody waits for any longer is dropped wherever it stands. Knows no messages and no model.
 */
import type { ImageProblem, ReadDigit } from '../image/read-digit.ts';

export type Decoded = {
  readonly id: number;
  readonly pixels: Uint8Array; // [784]
  readonly decodeMs: number;
  readonly takenAt: number; // performance.now()
  readonly withPixels: boolean; // wanted in the answer
};

export type Intake = {
  take(id: number, image: Uint8Array, withPixels: boolean): void;
  /** One that is being decoded is let go of when its decoding ends; an unknown id is ignored. */
  drop(id: number): void;
  /** Removes up to `count` decoded images, oldest first. */
  batch(count: number): Decoded[];
  /** Images that wait for a batch, and those that are being decoded. */
  counts(): { readonly decoded: number; readonly decoding: number };
  /** Decodings begun since the start. */
  decodings(): number;
};

type IntakeEvents = {
  readonly decode: (image: Uint8Array) => Promise<ReadDigit>;
  /** There is something for a batch. */
  readonly onDecoded: () => void;
  readonly onRefused: (id: number, problem: ImageProblem) => void;
  /** A dropped image takes up nothing any longer. */
  readonly onDropped: (id: number) => void;
};

type Waiting = { readonly image: Uint8Array; readonly takenAt: number; readonly withPixels: boolean };

export function createIntake(maxDecoding: number, events: IntakeEvents): Intake {
  const waiting = new Map<number, Waiting>(); // in order of arrival
  const decoding = new Set<number>(); // without those that were dropped meanwhile
  const decoded = new Map<number, Decoded>();
  let running = 0; // decodings, dropped or not
  let begun = 0;

  const decodeNext = () => {
    for (const [id, next] of waiting) {
      if (running >= maxDecoding) return;
      waiting.delete(id);
      void decode(id, next);
    }
  };
  const decode = async (id: number, { image, takenAt, withPixels }: Waiting) => {
    running++;
    begun++;
    decoding.add(id);
    const startedAt = performance.now();
    const digit = await events.decode(image);
    running--;
    decodeNext();
    if (!decoding.delete(id)) return events.onDropped(id);
    if (!digit.ok) return events.onRefused(id, digit);
    const decodeMs = performance.now() - startedAt;
    decoded.set(id, { id, pixels: digit.pixels, decodeMs, takenAt, withPixels });
    events.onDecoded();
  };
  return {
    take(id, image, withPixels) {
      waiting.set(id, { image, takenAt: performance.now(), withPixels });
      decodeNext();
    },
    drop(id) {
      if (waiting.delete(id) || decoded.delete(id)) events.onDropped(id);
      else decoding.delete(id);
    },
    batch(count) {
      const images = [...decoded.values()].slice(0, count);
      for (const { id } of images) decoded.delete(id);
      return images;
    },
    counts: () => ({ decoded: decoded.size, decoding: decoding.size }),
    decodings: () => begun,
  };
}
