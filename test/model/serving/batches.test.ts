import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createBatches } from '../../../src/model/serving/batches.ts';

const maxBatch = 4;

/** Batches over counts that the test sets; each inference takes what waits, and resolves `next`. */
function openBatches() {
  const counts = { decoded: 0, decoding: 0 };
  const inferred: number[] = [];
  let tell = () => {};
  const look = createBatches(maxBatch, {
    counts: () => counts,
    inferNext: () => {
      const size = Math.min(counts.decoded, maxBatch);
      counts.decoded -= size;
      inferred.push(size);
      tell();
    },
  });
  const next = () =>
    new Promise<void>((resolve) => {
      tell = resolve;
    });
  return { counts, inferred, look, next };
}

/** Longer than turns of the event loop, shorter than the wait for company ever is. */
const aFewTurns = async () => {
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
};

it('infers an image that is alone without waiting', async () => {
  const { counts, inferred, look } = openBatches();
  counts.decoded = 1;
  look();
  await aFewTurns();
  expect(inferred).toEqual([1]);
});

it('waits for those that are being decoded, until the last one is', async () => {
  const { counts, inferred, look } = openBatches();
  Object.assign(counts, { decoded: 1, decoding: 2 });
  look();
  Object.assign(counts, { decoded: 2, decoding: 1 });
  look();
  expect(inferred).toEqual([]);
  Object.assign(counts, { decoded: 3, decoding: 0 });
  look();
  await aFewTurns();
  expect(inferred).toEqual([3]);
  await delay(5); // the wait that was begun has been ended
  expect(inferred).toEqual([3]);
});

it('waits no longer when what it waited for is refused or dropped', async () => {
  const { counts, inferred, look } = openBatches();
  Object.assign(counts, { decoded: 1, decoding: 1 });
  look();
  counts.decoding = 0;
  look();
  await aFewTurns();
  expect(inferred).toEqual([1]);
});

it('waits for company but a short time', async () => {
  const { counts, inferred, look, next } = openBatches();
  Object.assign(counts, { decoded: 1, decoding: 1 });
  const done = next();
  look();
  await done;
  expect(inferred).toEqual([1]);
});

it('waits for nobody once a batch is full, and goes on with what is left', async () => {
  const { counts, inferred, look, next } = openBatches();
  Object.assign(counts, { decoded: 2 * maxBatch + 1, decoding: 1 });
  look();
  await aFewTurns();
  expect(inferred).toEqual([maxBatch, maxBatch]);
  await next(); // the one that is left has waited for the one being decoded
  expect(inferred).toEqual([maxBatch, maxBatch, 1]);
});

it('has nothing to infer when all were dropped', async () => {
  const { inferred, look } = openBatches();
  look();
  await delay(5);
  expect(inferred).toEqual([]);
});
