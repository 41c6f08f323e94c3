/** When a batch is inferred: at once while nothing else is on its way, else in company. Knows no images and no model. */
import { setImmediate as nextTurn } from 'node:timers/promises';

export type BatchPort = {
  /** Images that wait for a batch, and those that are being decoded. */
  readonly counts: () => { readonly decoded: number; readonly decoding: number };
  /** Infers up to `maxBatch` images that wait; there may be none any longer. */
  readonly inferNext: () => void;
};

const waitForCompanyMs = 2;

/** A function to be called whenever an image was decoded or needs no decoding any longer. */
export function createBatches(maxBatch: number, { counts, inferNext }: BatchPort): () => void {
  let inferring = false;
  let company: NodeJS.Timeout | undefined; // ends the wait for it

  /** One image takes as long as four in a batch: while others are being decoded, waits for them, but not for long. */
  const look = () => {
    const { decoded, decoding } = counts();
    if (inferring || decoded === 0) return;
    if (decoding === 0 || decoded >= maxBatch) void inferAll();
    else company ??= setTimeout(() => void inferAll(), waitForCompanyMs);
  };
  /** A batch at a time: what is decoded during one makes up the next. */
  const inferAll = async () => {
    clearTimeout(company);
    company = undefined;
    inferring = true;
    await nextTurn(); // what is decoded in the same turn makes up the first
    do {
      inferNext();
      await nextTurn();
    } while (counts().decoded >= maxBatch);
    inferring = false;
    look();
  };
  return look;
}
