import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { createDecodeRoom } from '../../../src/model/serving/decode-room.ts';
import { runs } from '../../long.ts';

it('never holds more than its limit, but for one that is larger, and lets all in, in order', async () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 150 }), { maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(sizes, fc.infiniteStream(fc.nat()), async (all, choices) => {
      const room = createDecodeRoom(100);
      const inside = new Map<number, () => void>();
      const entered: number[] = [];
      const done = all.map((bytes, id) =>
        room.run(bytes, () => {
          entered.push(id);
          return new Promise<void>((end) => inside.set(id, end));
        }),
      );
      while (entered.length < all.length || inside.size > 0) {
        await new Promise(setImmediate);
        const held = [...inside.keys()].reduce((sum, id) => sum + all[id]!, 0);
        expect(held <= 100 || inside.size === 1).toBe(true);
        const ids = [...inside.keys()];
        const id = ids[choices.next().value! % ids.length]!;
        inside.get(id)!();
        inside.delete(id);
      }
      await Promise.all(done);
      expect(entered).toEqual(all.map((_, id) => id));
    }),
    { numRuns: runs(200) },
  );
});

it('makes room again after a decoding that fails', async () => {
  const room = createDecodeRoom(10);
  await expect(room.run(10, () => Promise.reject(new Error('damaged')))).rejects.toThrow('damaged');
  expect(await room.run(10, () => Promise.resolve('read'))).toBe('read');
});

it('leaves out what is no longer wanted when its turn comes, wherever it waits', async () => {
  const room = createDecodeRoom(10);
  let end!: () => void;
  const first = room.run(10, () => new Promise<void>((ended) => (end = ended)));
  await new Promise(setImmediate);
  const ran: string[] = [];
  const run = (name: string, isWanted: boolean) =>
    room.run(
      10,
      async () => ran.push(name),
      () => isWanted,
    );
  const rest = [run('second', false), run('third', true), run('fourth', false)];
  end();
  await first;
  expect(await Promise.all(rest)).toEqual([null, 1, null]);
  expect(ran).toEqual(['third']);
});
