/**
 * The API's account of the images that are with the predictor. An image takes its place, and its bytes, from `add`
 * until the predictor has let go of it, even when nobody waits for its outcome any longer: what is counted here is
 * what really lies in memory.
 */
import type { PredictOutcome } from './messages.ts';

/** A fifth of a second of work; more would only wait longer. */
const maxImages = 256;
const maxBytes = 64 * 1024 * 1024;
/** More would wait in the process, where it is a message too late to drop them: enough to keep it busy. */
const maxInChild = 32;
const maxSends = 2; // an image that was there at two crashes may be the reason

type Place = {
  readonly image: Uint8Array;
  readonly withPixels: boolean; // wanted in the outcome
  resolve: ((outcome: PredictOutcome) => void) | null; // null: has its outcome
  sends: number;
  inChild: boolean; // the process that runs now has it
};

export type Load = { readonly images: number; readonly bytes: number };

export type Pending = ReturnType<typeof createPending>;

export function createPending() {
  const places = new Map<number, Place>();
  let nextId = 0;
  let bytes = 0;

  const settle = (id: number, outcome: PredictOutcome) => {
    const place = places.get(id);
    place?.resolve?.(outcome);
    if (place) place.resolve = null;
  };
  const remove = (id: number) => {
    bytes -= places.get(id)?.image.byteLength ?? 0;
    places.delete(id);
  };
  return {
    hasRoomFor: (image: Uint8Array) => places.size < maxImages && bytes + image.byteLength <= maxBytes,
    add: (image: Uint8Array, withPixels: boolean) => {
      const id = nextId++;
      bytes += image.byteLength;
      const outcome = new Promise<PredictOutcome>((resolve) => {
        places.set(id, { image, withPixels, resolve, sends: 0, inChild: false });
      });
      return { id, outcome };
    },
    /** Gives an image its outcome; only the first counts. */
    settle,
    /** The predictor has let go of it. */
    remove,
    /** False as well when it was removed. */
    isInChild: (id: number) => places.get(id)?.inChild ?? false,
    /** The images that the process that runs now is to get next, oldest first; they count as sent. */
    takeUnsent: (): { id: number; image: Uint8Array; withPixels: boolean }[] => {
      const unsent = [...places].filter(([, { inChild }]) => !inChild);
      const next = unsent.slice(0, Math.max(0, maxInChild - (places.size - unsent.length)));
      for (const [, place] of next) {
        place.inChild = true;
        place.sends++;
      }
      return next.map(([id, { image, withPixels }]) => ({ id, image, withPixels }));
    },
    /** The process is gone with all that it had. Images that somebody waits for stay, to be sent once more. */
    childEnded: (outcome: PredictOutcome) => {
      for (const [id, place] of places) {
        place.inChild = false;
        if (place.sends >= maxSends) settle(id, outcome);
        if (place.resolve === null) remove(id);
      }
    },
    settleAll: (outcome: PredictOutcome) => {
      for (const id of places.keys()) {
        settle(id, outcome);
        remove(id);
      }
    },
    load: (): Load => ({ images: places.size, bytes }),
  };
}
