import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { ReadDigit } from '../../../src/model/image/read-digit.ts';
import type { ImageOrder } from '../../../src/model/serving/messages.ts';
import { MicroBatches } from '../../../src/model/serving/micro-batches.ts';

const digit: ReadDigit = { ok: true, pixels: new Uint8Array(784), warnings: [] };
const damaged: ReadDigit = { ok: false, code: 'IMAGE_EMPTY', message: '' };

/** Longer than turns of the event loop, shorter than the wait for a fuller batch ever is. */
const aFewTurns = async () => {
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
};

const orderOf = (id: number, change: Partial<ImageOrder> = {}): ImageOrder => ({
  image: new Uint8Array([id]),
  version: 1,
  isPinned: false,
  withPixels: id === 2,
  ...change,
});

/** Batches of images with the ids 1, 2, …; the decoding of each ends when the test says so. */
function openBatches(images: number, { maxDecoding = images, maxBatch = 4 } = {}) {
  const begun: number[] = []; // ids, in order
  const ending = new Map<number, (result: ReadDigit) => void>();
  const large = new Map<number, () => void>();
  const inferred: number[][] = [];
  const withPixels = new Map<number, boolean>();
  const events: string[] = [];
  let onInferred = () => {};
  const batches = new MicroBatches({
    maxDecoding,
    maxBatch,
    decode: ([id], { onLarge } = {}) => {
      begun.push(id!);
      large.set(id!, onLarge!);
      return new Promise((resolve) => ending.set(id!, resolve));
    },
    infer: (_version, batch) => {
      inferred.push(batch.map(({ id }) => id));
      for (const image of batch) withPixels.set(image.id, image.withPixels);
      onInferred();
    },
    inferTensor: () => {},
    onRefused: (id, { code }) => events.push(`refused ${id} ${code}`),
    onDropped: (id) => events.push(`dropped ${id}`),
  });
  for (let id = 1; id <= images; id++) batches.add(id, orderOf(id));
  const end = (id: number, result = digit) => ending.get(id)!(result);
  const isLarge = (id: number) => large.get(id)!();
  const nextBatch = () =>
    new Promise<void>((resolve) => {
      onInferred = resolve;
    });
  return { batches, begun, inferred, withPixels, events, end, isLarge, nextBatch };
}

describe('decoding', () => {
  it('takes no more than so many at once, in order of arrival', async () => {
    const { batches, begun, inferred, end } = openBatches(4, { maxDecoding: 2 });
    expect(begun).toEqual([1, 2]);
    end(2);
    await Promise.resolve();
    expect(begun).toEqual([1, 2, 3]);
    for (const id of [1, 3]) end(id);
    await Promise.resolve();
    end(4);
    await aFewTurns();
    expect(batches.decodings).toBe(4);
    expect(inferred).toEqual([[2, 1, 3, 4]]);
  });

  it('of a large image takes up no place, and no other waits for it', async () => {
    const { batches, begun, inferred, end, isLarge, nextBatch } = openBatches(4, { maxDecoding: 2 });
    isLarge(1);
    expect(begun).toEqual([1, 2, 3]);
    end(2);
    await Promise.resolve();
    expect(begun).toEqual([1, 2, 3, 4]);
    end(3);
    end(4);
    await aFewTurns();
    expect(inferred).toEqual([[2, 3, 4]]);
    batches.add(5, orderOf(5));
    batches.add(6, orderOf(6));
    batches.add(7, orderOf(7));
    expect(begun).toEqual([1, 2, 3, 4, 5, 6]); // 1 has no slot to give back
    const batch = nextBatch();
    end(1);
    await batch;
    expect(inferred.at(-1)).toEqual([1]);
    expect(begun).toHaveLength(6);
  });

  it('of a large image goes on when it is dropped, and ends without an answer', async () => {
    const { batches, inferred, events, end, isLarge } = openBatches(2);
    isLarge(1);
    batches.drop(1);
    end(2);
    await aFewTurns();
    expect(events).toEqual([]);
    end(1);
    await aFewTurns();
    expect(events).toEqual(['dropped 1']);
    expect(inferred).toEqual([[2]]);
  });

  it('remembers whose pixels are wanted', async () => {
    const { withPixels, end } = openBatches(2);
    for (const id of [1, 2]) end(id);
    await aFewTurns();
    expect([...withPixels]).toEqual([
      [1, false],
      [2, true],
    ]);
  });

  it('never begins for an image that is dropped while it waits', async () => {
    const { batches, begun, events, end } = openBatches(4, { maxDecoding: 2 });
    batches.drop(3);
    expect(events).toEqual(['dropped 3']);
    end(1);
    await aFewTurns();
    expect(begun).toEqual([1, 2, 4]);
  });

  it('of a dropped image keeps its slot until it ends, and lets go of the image then', async () => {
    const { batches, begun, inferred, events, end } = openBatches(3, { maxDecoding: 2 });
    batches.drop(1);
    expect([begun, events]).toEqual([[1, 2], []]);
    end(1);
    await aFewTurns();
    expect([begun, events, inferred]).toEqual([[1, 2, 3], ['dropped 1'], []]);
  });

  it('that fails is reported, and the next one begins', async () => {
    const { begun, events, end } = openBatches(3, { maxDecoding: 2 });
    end(1, damaged);
    await aFewTurns();
    expect([begun, events]).toEqual([[1, 2, 3], ['refused 1 IMAGE_EMPTY']]);
  });
});

describe('a batch', () => {
  it('leaves out an image that is dropped after its decoding', async () => {
    const { batches, inferred, events, end } = openBatches(3);
    for (const id of [1, 2]) end(id);
    await Promise.resolve();
    batches.drop(1);
    end(3);
    await aFewTurns();
    expect([events, inferred]).toEqual([['dropped 1'], [[2, 3]]]);
  });

  it('is not changed by ids that are unknown or already inferred', async () => {
    const { batches, inferred, events, end } = openBatches(1);
    end(1);
    await aFewTurns();
    for (const id of [1, 99]) batches.drop(id);
    expect([inferred, events]).toEqual([[[1]], []]);
  });

  it('of one image that is alone does not wait', async () => {
    const { inferred, end } = openBatches(1);
    end(1);
    await aFewTurns();
    expect(inferred).toEqual([[1]]);
  });

  it('waits for images that are being decoded, until the last one is', async () => {
    const { inferred, end } = openBatches(3);
    for (const id of [1, 2]) {
      end(id);
      await Promise.resolve();
      expect(inferred).toEqual([]);
    }
    end(3);
    await aFewTurns();
    expect(inferred).toEqual([[1, 2, 3]]);
    await delay(5); // the wait that was begun has been ended
    expect(inferred).toEqual([[1, 2, 3]]);
  });

  it.each(['refused', 'dropped'])('waits no longer for an image that is %s', async (how) => {
    const { batches, inferred, end } = openBatches(2);
    end(1);
    await Promise.resolve();
    if (how === 'refused') end(2, damaged);
    else batches.drop(2);
    await aFewTurns();
    expect(inferred).toEqual([[1]]);
  });

  it('waits for others only a short time', async () => {
    const { inferred, end, nextBatch } = openBatches(2);
    const done = nextBatch();
    end(1);
    await done;
    expect(inferred).toEqual([[1]]);
  });

  it('waits for nobody once it is full, and what is left goes on', async () => {
    const { inferred, end, nextBatch } = openBatches(10);
    for (let id = 1; id <= 9; id++) end(id);
    await aFewTurns();
    expect(inferred).toEqual([
      [1, 2, 3, 4],
      [5, 6, 7, 8],
    ]);
    await nextBatch(); // the one that is left has waited for the one being decoded
    expect(inferred).toHaveLength(3);
    expect(inferred[2]).toEqual([9]);
  });

  it('is not inferred when all its images were dropped', async () => {
    const { batches, inferred, events, end } = openBatches(1);
    end(1);
    await Promise.resolve();
    batches.drop(1);
    await aFewTurns();
    expect([inferred, events]).toEqual([[], ['dropped 1']]);
  });
});

describe('images for several versions', () => {
  afterEach(() => void vi.useRealTimers());

  /** All are decoded, `waitedMs` after their arrival, before the first is inferred. */
  async function inferAll(orders: readonly Partial<ImageOrder>[], waitedMs = 0) {
    vi.useFakeTimers({ toFake: ['performance'] });
    const ends: (() => void)[] = [];
    const inferred: { version: number; ids: number[] }[] = [];
    let finish = () => {};
    const isDone = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const batches = new MicroBatches({
      maxDecoding: 4 * orders.length, // as many pinned ones as there are
      maxBatch: 4,
      decode: () => new Promise((resolve) => ends.push(() => resolve(digit))),
      infer: (version, batch) => {
        inferred.push({ version, ids: batch.map(({ id }) => id) });
        if (inferred.flatMap(({ ids }) => ids).length === orders.length) finish();
      },
      inferTensor: () => {},
      onRefused: () => {},
      onDropped: () => {},
    });
    for (const [id, order] of orders.entries()) batches.add(id, orderOf(id, order));
    vi.advanceTimersByTime(waitedMs);
    for (const end of ends) end();
    await isDone;
    return inferred;
  }

  it('make up batches of their own', async () => {
    expect(await inferAll([{ version: 1 }, { version: 2 }, { version: 1 }, { version: 2 }])).toEqual([
      { version: 1, ids: [0, 2] },
      { version: 2, ids: [1, 3] },
    ]);
  });

  it('that a request pins come after those for the champion', async () => {
    const pinned = { version: 2, isPinned: true };
    expect(await inferAll([pinned, { version: 1 }, pinned, { version: 1 }])).toEqual([
      { version: 1, ids: [1, 3] },
      { version: 2, ids: [0, 2] },
    ]);
  });

  it('alternate where pinned ones have waited for long, so that those do not stop the champion', async () => {
    const pinned = { version: 2, isPinned: true };
    const ours = Array.from({ length: 8 }, () => ({ version: 1 }));
    expect(await inferAll([pinned, pinned, pinned, ...ours], 60)).toEqual([
      { version: 2, ids: [0] },
      { version: 1, ids: [3, 4, 5, 6] },
      { version: 2, ids: [1] },
      { version: 1, ids: [7, 8, 9, 10] },
      { version: 2, ids: [2] },
    ]);
  });

  it('take at most a quarter of the decoding slots where a request pins them', async () => {
    const { batches, begun, end } = openBatches(0, { maxDecoding: 8 });
    for (let id = 1; id <= 10; id++) batches.add(id, orderOf(id, { version: 2, isPinned: true }));
    for (let id = 11; id <= 17; id++) batches.add(id, orderOf(id));
    expect(begun).toEqual([1, 2, 11, 12, 13, 14, 15, 16]);
    end(1);
    await aFewTurns();
    expect(begun.slice(8)).toEqual([3]);
    end(11);
    await aFewTurns();
    expect(begun.slice(9)).toEqual([17]);
  });
});
