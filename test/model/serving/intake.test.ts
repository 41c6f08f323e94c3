import { describe, expect, it } from 'vitest';
import type { ReadDigit } from '../../../src/model/image/read-digit.ts';
import { createIntake } from '../../../src/model/serving/intake.ts';

const digit: ReadDigit = { ok: true, pixels: new Uint8Array(784) };
const damaged: ReadDigit = { ok: false, code: 'IMAGE_EMPTY', message: '' };

/** An intake that decodes two at once; each decoding ends when the test says so. */
function openIntake() {
  const begun: number[] = []; // first bytes, in order
  const ending = new Map<number, (result: ReadDigit) => void>();
  const events: string[] = [];
  const intake = createIntake(2, {
    decode: ([name]) => {
      begun.push(name!);
      return new Promise((resolve) => ending.set(name!, resolve));
    },
    onDecoded: () => events.push('decoded'),
    onRefused: (id, { code }) => events.push(`refused ${id} ${code}`),
    onDropped: (id) => events.push(`dropped ${id}`),
  });
  for (const id of [1, 2, 3, 4]) intake.take(id, new Uint8Array([id]), id === 2);
  const end = async (id: number, result = digit) => {
    ending.get(id)!(result);
    await new Promise(setImmediate);
  };
  return { intake, begun, events, end, ids: (count: number) => intake.batch(count).map(({ id }) => id) };
}

describe('intake', () => {
  it('decodes no more than so many at once, in order of arrival', async () => {
    const { intake, begun, end, ids } = openIntake();
    expect(begun).toEqual([1, 2]);
    expect(intake.counts()).toEqual({ decoded: 0, decoding: 2 });
    await end(2);
    expect(begun).toEqual([1, 2, 3]);
    expect(intake.counts()).toEqual({ decoded: 1, decoding: 2 });
    await end(1);
    await end(3);
    await end(4);
    expect(intake.decodings()).toBe(4);
    expect(ids(3)).toEqual([2, 1, 3]);
    expect(ids(3)).toEqual([4]);
    expect(ids(3)).toEqual([]);
  });

  it('remembers whose pixels are wanted', async () => {
    const { intake, end } = openIntake();
    await end(1);
    await end(2);
    expect(intake.batch(2)).toMatchObject([
      { id: 1, withPixels: false },
      { id: 2, withPixels: true },
    ]);
  });

  it('never decodes one that is dropped while it waits', async () => {
    const { intake, begun, events, end } = openIntake();
    intake.drop(3);
    expect(events).toEqual(['dropped 3']);
    await end(1);
    expect(begun).toEqual([1, 2, 4]);
  });

  it('lets go of one that is dropped while it is decoded when that ends, and keeps its slot until then', async () => {
    const { intake, begun, events, end, ids } = openIntake();
    intake.drop(1);
    expect([begun, events]).toEqual([[1, 2], []]);
    await end(1);
    expect([begun, events, ids(9)]).toEqual([[1, 2, 3], ['dropped 1'], []]);
  });

  it('leaves one that is dropped after its decoding out of the batch', async () => {
    const { intake, events, end, ids } = openIntake();
    await end(1);
    await end(2);
    intake.drop(1);
    expect([events, ids(9)]).toEqual([['decoded', 'decoded', 'dropped 1'], [2]]);
  });

  it('says what can not be decoded, and goes on', async () => {
    const { begun, events, end } = openIntake();
    await end(1, damaged);
    expect([begun, events]).toEqual([[1, 2, 3], ['refused 1 IMAGE_EMPTY']]);
  });

  it('ignores what it does not have', async () => {
    const { intake, events, end, ids } = openIntake();
    await end(1);
    expect(ids(9)).toEqual([1]);
    intake.drop(1); // on its way out
    intake.drop(99);
    expect(events).toEqual(['decoded']);
  });
});
